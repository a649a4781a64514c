"""What a voucher may be set to: the rules that concern several of its fields at once. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from loyalty_common.errors import ValidationFailed
from loyalty_common.money import has_too_many_decimals
from loyalty_vouchers.domain.errors import decimals_sentence

_MOST_PERCENT = 100
_PERCENT_DIGITS = 2
_AMOUNTS = ("discount_value", "minimum_order_amount", "max_discount_amount")


@dataclass(frozen=True, kw_only=True, slots=True)
class Definition:
    """Everything about a voucher that its merchant decides. Numbers are above zero.

    Without a ``voucher_code`` it gets a random one.
    """

    name: str
    voucher_code: str | None
    partner_location_id: int
    is_active: bool
    discount_type: str
    discount_value: Decimal
    currency: str
    minimum_order_amount: Decimal | None
    max_discount_amount: Decimal | None
    max_redemptions: int | None
    max_redemptions_per_customer: int | None
    valid_from: date | None
    valid_until: date | None


def check_definition(definition: Definition) -> None:
    """``ValidationFailed`` that names every field at odds with another."""
    problems = {field: [sentence] for field, sentence in _problems(definition)}
    if problems:
        raise ValidationFailed(details=problems)


def _problems(definition: Definition) -> list[tuple[str, str]]:
    found = []
    opens, closes = definition.valid_from, definition.valid_until
    if opens is not None and closes is not None and closes < opens:
        found.append(("valid_until", "The valid until field must not be before valid from."))
    is_percent = definition.discount_type == "percent"
    if is_percent and definition.discount_value > _MOST_PERCENT:
        found.append(("discount_value", f"The discount value field may not be greater than {_MOST_PERCENT} per cent."))
    elif is_percent and definition.discount_value != round(definition.discount_value, _PERCENT_DIGITS):
        found.append(("discount_value", f"The discount value field may have at most {_PERCENT_DIGITS} decimals."))
    for field in _AMOUNTS[1:] if is_percent else _AMOUNTS:
        amount = getattr(definition, field)
        if amount is not None and has_too_many_decimals(amount, definition.currency):
            found.append((field, decimals_sentence(field, definition.currency)))
    return found
