"""Facts about stamps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from loyalty_programs.events.base import Shown, person


@dataclass(frozen=True, slots=True)
class StampsIssued:
    """One per request: all rows that it wrote, and the rewards that it unlocked."""

    name: ClassVar[str] = "stamp.issued"
    stamps: Sequence[Shown]
    stamps_required_for_reward: int
    rewards_unlocked: Sequence[Shown]
    customer: Shown
    source: str

    def data(self) -> dict[str, Any]:
        return {
            **self.stamps[0],
            "stamps_balance_after": self.stamps[-1]["stamps_balance_after"],
            "stamps_required_for_reward": self.stamps_required_for_reward,
            "stamps": self.stamps,
            "rewards_unlocked": self.rewards_unlocked,
            "customer": person(self.customer),
            "source": self.source,
        }
