"""Facts that this service publishes, in the past tense. Contracts: ``contracts/events/``.

Objects come in as the API shows them; ``customer`` is the full profile of which most events name the person only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

Shown = Mapping[str, Any]


class Event(Protocol):
    name: ClassVar[str]

    def data(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class CustomerEnrolled:
    name: ClassVar[str] = "loyalty.enrolled"
    enrollment: Shown
    initial_bonus_transactions: Sequence[Shown]
    loyalty_card: Shown
    customer: Shown
    source: str

    def data(self) -> dict[str, Any]:
        return {
            "enrollment": self.enrollment,
            "initial_bonus_transactions": self.initial_bonus_transactions,
            "loyalty_card": self.loyalty_card,
            "customer": person(self.customer),
            "source": self.source,
        }


@dataclass(frozen=True, slots=True)
class PointsEarned:
    """Points came in, by purchase, bonus, adjustment or referral."""

    name: ClassVar[str] = "loyalty.points_earned"
    transaction: Shown
    customer: Shown
    source: str

    def data(self) -> dict[str, Any]:
        return {
            **self.transaction,
            "loyalty_reward_id": None,
            "customer": person(self.customer),
            "source": self.source,
        }


@dataclass(frozen=True, slots=True)
class BalanceCorrected:
    """Points went out without being spent: no reward, no redemption."""

    name: ClassVar[str] = "customer.updated"
    enrollment: Shown
    transaction: Shown
    customer: Shown
    source: str

    def data(self) -> dict[str, Any]:
        return {
            **self.customer,
            "customer": person(self.customer),
            "source": self.source,
            "changed": ["points_balance"],
            "enrollment": self.enrollment,
            "transaction": self.transaction,
            "stamp_transactions": None,
            "voucher_redemption": None,
            "erased_at": None,
        }


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


def person(customer: Shown) -> dict[str, Any]:
    return {key: customer[key] for key in ("id", "name", "email", "phone")}
