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


@dataclass(frozen=True, slots=True)
class StampRewardFulfilled:
    name: ClassVar[str] = "stamp.reward_fulfilled"
    reward: Shown
    customer: Shown
    source: str

    def data(self) -> dict[str, Any]:
        return {**self.reward, "customer": person(self.customer), "source": self.source}


@dataclass(frozen=True, slots=True)
class StampsReversed:
    """Stamps were taken back; one per request, with all rows that it wrote."""

    name: ClassVar[str] = "customer.updated"
    stamps: Sequence[Shown]
    customer: Shown
    source: str

    def data(self) -> dict[str, Any]:
        return {
            **self.customer,
            "customer": person(self.customer),
            "source": self.source,
            "changed": ["stamps_balance"],
            "enrollment": None,
            "transaction": None,
            "stamp_transactions": self.stamps,
            "voucher_redemption": None,
            "erased_at": None,
        }
