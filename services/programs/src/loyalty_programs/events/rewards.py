"""Facts about rewards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from loyalty_programs.events.base import Shown, person


@dataclass(frozen=True, slots=True)
class RewardClaimed:
    """A member claimed a reward; the debit is told by itself, as ``loyalty.points_redeemed``."""

    name: ClassVar[str] = "loyalty.reward_claimed"
    claim: Shown
    points_transaction_id: int
    customer: Shown
    source: str

    def data(self) -> dict[str, Any]:
        return {
            **self.claim,
            "points_transaction_id": self.points_transaction_id,
            "customer": person(self.customer),
            "source": self.source,
        }
