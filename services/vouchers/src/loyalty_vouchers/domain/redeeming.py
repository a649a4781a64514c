"""May this voucher be redeemed, and what is it worth: for redeeming it and for asking beforehand. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from loyalty_common.money import has_too_many_decimals, minor_digits
from loyalty_vouchers.domain.dates import local_date
from loyalty_vouchers.domain.errors import (
    CurrencyMismatch,
    MinimumOrderNotMet,
    TooManyDecimals,
    VoucherAlreadyRedeemed,
    VoucherExpired,
    VoucherInactive,
    VoucherLimitReached,
    VoucherNotYetValid,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What a voucher grants and demands.

    Amounts are in ``currency``; ``discount_value`` is per cent for ``percent``. A limit of None is no limit.
    ``time_zone`` is that of the voucher's partner location: its dates are days there.
    """

    is_active: bool
    valid_from: date | None
    valid_until: date | None
    time_zone: str
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


def decide(terms: Terms, uses: Uses, *, order_amount: Decimal, currency: str | None, occurred_at: datetime) -> Decimal:
    """The discount on this order, or the first rule that refuses, in the order in which the contract lists them.

    ``currency`` None stands for the voucher's own.
    """
    check_valid(terms, occurred_at)
    if currency not in (None, terms.currency):
        raise CurrencyMismatch(terms.currency)
    if has_too_many_decimals(order_amount, terms.currency):
        raise TooManyDecimals("order_amount", currency=terms.currency)
    check_limits(terms, uses)
    if terms.minimum_order_amount is not None and order_amount < terms.minimum_order_amount:
        raise MinimumOrderNotMet(terms.minimum_order_amount, currency=terms.currency)
    return discount_on(terms, order_amount)


def check_valid(terms: Terms, at: datetime) -> None:
    """Both dates are days on which the voucher is valid, from their first instant to their last."""
    if not terms.is_active:
        raise VoucherInactive
    today = local_date(at, terms.time_zone)
    if terms.valid_from is not None and today < terms.valid_from:
        raise VoucherNotYetValid(terms.valid_from)
    if terms.valid_until is not None and today > terms.valid_until:
        raise VoucherExpired(terms.valid_until)


def check_limits(terms: Terms, uses: Uses) -> None:
    if terms.max_redemptions is not None and uses.in_all >= terms.max_redemptions:
        raise VoucherLimitReached
    per_customer = terms.max_redemptions_per_customer
    if per_customer is not None and uses.by_customer >= per_customer:
        raise VoucherAlreadyRedeemed


def discount_on(terms: Terms, order_amount: Decimal) -> Decimal:
    """Per cent is rounded half-up to the currency's digits. Never more than the cap, nor than the order."""
    discount = terms.discount_value
    if terms.discount_type == "percent":
        coin = Decimal(1).scaleb(-minor_digits(terms.currency))
        discount = (order_amount * terms.discount_value / 100).quantize(coin, rounding=ROUND_HALF_UP)
    if terms.max_discount_amount is not None:
        discount = min(discount, terms.max_discount_amount)
    return min(discount, order_amount)
