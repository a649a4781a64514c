"""What a merchant says of a loyalty card, and whether it holds together. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from loyalty_common.errors import ValidationFailed
from loyalty_common.money import has_too_many_decimals, minor_digits
from loyalty_programs.domain.errors import EmptyWindow


@dataclass(frozen=True, slots=True)
class CardSettings:
    """``None`` for the date of issue is today, for the identifier one of ours."""

    name: str
    partner_location_id: int
    card_identifier: str | None
    is_active: bool
    earn_spend_amount: Decimal | None
    earn_points: int | None
    earn_currency: str
    initial_bonus_points: int
    date_issued: date | None
    expiry_date: date | None
    auto_enroll: bool
    points_expire_after_months: int | None
    refund_floor: str


def columns(settings: CardSettings, *, today: date, code: int) -> dict[str, Any]:
    """As they are stored, nothing left open; ``code`` is one of ``range(10**12)`` for the identifier.

    Raises ``ValidationFailed`` where one setting contradicts another.
    """
    faults = earn_rule_faults(settings.earn_spend_amount, settings.earn_points, currency=settings.earn_currency)
    if faults:
        raise ValidationFailed(details=faults)
    date_issued = settings.date_issued or today
    if settings.expiry_date is not None and settings.expiry_date < date_issued:
        raise EmptyWindow("expiry_date", first="date of issue")
    identifier = settings.card_identifier or wallet_code(code)
    return {**asdict(settings), "date_issued": date_issued, "card_identifier": identifier}


def earn_rule_faults(spend: Decimal | None, points: int | None, *, currency: str) -> Mapping[str, list[str]]:
    """Sentences by field; none if this is a whole rule, or no rule at all."""
    if spend is None:
        missing = "The earn spend amount field is required with earn_points."
        return {"earn_spend_amount": [missing]} if points is not None else {}
    if points is None:
        return {"earn_points": ["The earn points field is required with earn_spend_amount."]}
    if has_too_many_decimals(spend, currency):
        sentence = f"The earn spend amount field may have at most {minor_digits(currency)} decimals in {currency}."
        return {"earn_spend_amount": [sentence]}
    return {}


def wallet_code(chosen: int) -> str:
    """``42118307591`` → ``042-118-307-591``; one that is taken violates the unique index and another is drawn."""
    digits = f"{chosen:012d}"
    return "-".join(digits[place : place + 3] for place in range(0, 12, 3))
