"""Calls on vouchers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from hypothesis import strategies as st

from tests.system.ledger.calls import AMOUNTS, REFERENCES, WHO, Call, request_of
from tests.system.ledger.world import Request, World

VOUCHERS = st.integers(0, 1)


@dataclass(frozen=True)
class RedeemVoucher:
    """Or ask whether it could be redeemed."""

    voucher: int
    who: str
    amount: Decimal
    reference: str | None = None
    is_question: bool = False

    def request(self, world: World, people: Mapping[str, int]) -> Request:
        customer_id, path = people[self.who], f"/vouchers/{world.vouchers[self.voucher].voucher_id}"
        body = {"customer_id": customer_id, "order_amount": str(self.amount)}
        if self.is_question:
            return request_of(
                self,
                f"{path}/validate",
                lambda now: now.vouchers[self.voucher].validate(customer_id, self.amount),
                body,
                is_stored=False,
            )
        return request_of(
            self,
            f"{path}/redeem",
            lambda now: now.vouchers[self.voucher].redeem(customer_id, self.amount, reference=self.reference),
            {**body, "order_reference": self.reference},
        )


@dataclass(frozen=True)
class RollBack:
    voucher: int
    back: int

    def request(self, world: World, people: Mapping[str, int]) -> Request | None:
        voucher = world.vouchers[self.voucher]
        if not voucher.redemptions:
            return None
        number = len(voucher.redemptions) - 1 - self.back % len(voucher.redemptions)
        path = f"/vouchers/{voucher.voucher_id}/redemptions/{voucher.redemptions[number]['id']}/rollback"
        return request_of(self, path, lambda now: now.vouchers[self.voucher].roll_back(number))


VOUCHER_CALLS: list[st.SearchStrategy[Call]] = [
    st.builds(RedeemVoucher, VOUCHERS, WHO, AMOUNTS, REFERENCES),
    st.builds(RedeemVoucher, VOUCHERS, WHO, AMOUNTS, is_question=st.just(True)),
    st.builds(RollBack, VOUCHERS, st.integers(0, 2)),
]
