"""Facts about members and their points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from loyalty_programs.events.base import Shown, person


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
class PointsRedeemed:
    """Points were spent, by a redemption or for a reward; ``loyalty_reward_id`` says which reward."""

    name: ClassVar[str] = "loyalty.points_redeemed"
    transaction: Shown
    loyalty_reward_id: int | None
    customer: Shown
    source: str

    def data(self) -> dict[str, Any]:
        return {
            **self.transaction,
            "loyalty_reward_id": self.loyalty_reward_id,
            "customer": person(self.customer),
            "source": self.source,
        }


@dataclass(frozen=True, slots=True)
class BalanceCorrected:
    """Points went out without being spent, or what was spent came back."""

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
