"""Facts about referrals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from loyalty_programs.events.base import Shown, person


@dataclass(frozen=True, slots=True)
class ReferralCompleted:
    """One per milestone, with the bonus rows that it brought to the two."""

    name: ClassVar[str] = "referral.completed"
    referral: Shown
    milestone: Shown
    reward_transactions: Sequence[Shown]
    referrer: Shown
    referred: Shown
    source: str

    def data(self) -> dict[str, Any]:
        return {
            "referral": self.referral,
            "milestone": self.milestone,
            "reward_transactions": self.reward_transactions,
            "referrer": person(self.referrer),
            "referred": person(self.referred),
            "customer": person(self.referrer),
            "source": self.source,
        }
