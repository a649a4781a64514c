"""Would this voucher be redeemed, and for how much? Asked before the customer pays; nothing is written."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from loyalty_common.database import Transaction
from loyalty_common.errors import Refusal
from loyalty_common.money import has_too_many_decimals
from loyalty_vouchers.domain import judging, people, shapes
from loyalty_vouchers.domain.errors import TooManyDecimals
from loyalty_vouchers.domain.facts import VoucherName
from loyalty_vouchers.domain.judging import Purchase
from loyalty_vouchers.domain.people import CustomerName

_NOTHING = Decimal(0)


def validate(tx: Transaction, *, voucher: VoucherName, customer: CustomerName, purchase: Purchase) -> dict[str, Any]:
    """What redeeming would do now: a rule of the voucher that would refuse it is an answer here.

    Where the customer is nobody it is not asked how often one may. Raises what is wrong with the question itself:
    ``NotFound`` or ``UnknownVoucherCode``, ``TooManyDecimals``, ``UnknownLocation``, and what ``people.found`` raises.
    """
    where = {"partner_location_id": purchase.partner_location_id}
    asked = {**voucher.parameters, **customer.parameters, **where}
    rows = tx.run(voucher.statements.ask, asked)
    if not rows:
        raise voucher.unknown
    loaded = judging.only_one(rows)
    if has_too_many_decimals(purchase.order_amount, loaded.currency):
        raise TooManyDecimals("order_amount", currency=loaded.currency)
    if not customer.is_nobody:
        people.found(loaded, customer)
    try:
        discount_amount, refusal = judging.discount_for(loaded, purchase), None
    except Refusal as refused:
        discount_amount, refusal = _NOTHING, refused
    return shapes.validation(
        loaded._asdict(), order_amount=purchase.order_amount, discount_amount=discount_amount, refusal=refusal
    )
