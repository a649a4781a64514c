"""Vouchers as a model."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.system.ledger.answers import Answer, refused, repeated

CENT = Decimal("0.01")


@dataclass(eq=False)
class Voucher:
    """``per_cent`` of the order, at most ``cap``; without it ``cap`` itself."""

    voucher_id: int
    events: Counter[str]
    cap: Decimal
    per_cent: int | None = None
    minimum: Decimal | None = None
    most: int | None = None
    most_per_customer: int | None = None
    redemptions: list[dict[str, Any]] = field(default_factory=list)
    """As they are shown."""

    def redeem(self, customer_id: int, amount: Decimal, *, reference: str | None) -> Answer:
        named = {"customer_id": customer_id, "order_amount": f"{amount:.2f}"}
        for earlier in self._standing():
            if reference is not None and earlier["order_reference"] == reference:
                same = named.items() <= earlier.items()
                return repeated(earlier) if same else refused("duplicate_reference")
        reason = self._reason_against(customer_id, amount)
        if reason is not None:
            return refused(reason)
        told = {"discount_amount": f"{self._discount(amount):.2f}", "order_reference": reference}
        self.redemptions.append({**named, **told, "status": "redeemed", "rolled_back_at": None})
        self.events["voucher.redeemed"] += 1
        return Answer(201, self.redemptions[-1])

    def validate(self, customer_id: int, amount: Decimal) -> Answer:
        reason = self._reason_against(customer_id, amount)
        discount = self._discount(amount) if reason is None else Decimal(0)
        return Answer(200, {"valid": reason is None, "reason": reason, "discount_amount": f"{discount:.2f}"})

    def roll_back(self, number: int) -> Answer:
        redemption = self.redemptions[number]
        if redemption["status"] == "rolled_back":
            return repeated(redemption)
        redemption |= {"status": "rolled_back", "rolled_back_at": ...}
        self.events["customer.updated"] += 1
        return Answer(200, redemption)

    def _standing(self) -> list[dict[str, Any]]:
        return [one for one in self.redemptions if one["status"] == "redeemed"]

    def _reason_against(self, customer_id: int, amount: Decimal) -> str | None:
        standing = self._standing()
        if self.most is not None and len(standing) >= self.most:
            return "voucher_limit_reached"
        own = sum(one["customer_id"] == customer_id for one in standing)
        if self.most_per_customer is not None and own >= self.most_per_customer:
            return "voucher_already_redeemed"
        return "minimum_order_not_met" if self.minimum is not None and amount < self.minimum else None

    def _discount(self, amount: Decimal) -> Decimal:
        if self.per_cent is None:
            return min(self.cap, amount)
        return min(self.cap, (amount * self.per_cent / 100).quantize(CENT, ROUND_HALF_UP))
