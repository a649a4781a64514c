"""May this voucher be redeemed, and what is it worth: pure, for redeeming and for asking beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from loyalty_common.money import has_too_many_decimals, minor_digits

from loyalty_vouchers.domain import errors


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What a voucher grants and demands. Amounts are in ``currency``.

    ``discount_value`` is per cent for ``percent`` and an amount for ``fixed``; a limit of None is no limit.
    """

    is_active: bool
    valid_from: date | None
    valid_until: date | None
    discount_type: str
    discount_value: Decimal
    currency: str
    minimum_order_amount: Decimal | None
    max_discount_amount: Decimal | None
    max_redemptions: int | None
    max_redemptions_per_customer: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Uses:
    """How often the voucher stands redeemed, without what was rolled back."""

    in_all: int
    by_customer: int


def decide(terms: Terms, uses: Uses, *, order_amount: Decimal, currency: str | None, on: date) -> Decimal:
    """The discount on this order, or the first rule that refuses, in the order the contract lists them.

    ``on`` is the day at the till (see ``local_date``); ``currency`` None stands for the voucher's own.
    """
    _refuse_outside_window(terms, on)
    if currency not in (None, terms.currency):
        raise errors.CurrencyMismatch(terms.currency)
    if has_too_many_decimals(order_amount, terms.currency):
        raise errors.TooManyDecimals("order_amount", currency=terms.currency)
    _refuse_over_limits(terms, uses)
    if terms.minimum_order_amount is not None and order_amount < terms.minimum_order_amount:
        raise errors.MinimumOrderNotMet(minimum=terms.minimum_order_amount, currency=terms.currency)
    return discount_on(terms, order_amount)


def discount_on(terms: Terms, order_amount: Decimal) -> Decimal:
    """Per cent is rounded half-up to the currency's digits. Never more than the cap, nor than the order."""
    discount = terms.discount_value
    if terms.discount_type == "percent":
        unit = Decimal(1).scaleb(-minor_digits(terms.currency))
        discount = (order_amount * terms.discount_value / 100).quantize(unit, rounding=ROUND_HALF_UP)
    if terms.max_discount_amount is not None:
        discount = min(discount, terms.max_discount_amount)
    return min(discount, order_amount)


def _refuse_outside_window(terms: Terms, on: date) -> None:
    if not terms.is_active:
        raise errors.VoucherInactive
    if terms.valid_from is not None and on < terms.valid_from:
        raise errors.VoucherNotYetValid(terms.valid_from)
    if terms.valid_until is not None and on > terms.valid_until:
        raise errors.VoucherExpired(terms.valid_until)


def _refuse_over_limits(terms: Terms, uses: Uses) -> None:
    if terms.max_redemptions is not None and uses.in_all >= terms.max_redemptions:
        raise errors.VoucherLimitReached
    per_customer = terms.max_redemptions_per_customer
    if per_customer is not None and uses.by_customer >= per_customer:
        raise errors.VoucherAlreadyRedeemed
