"""How many vouchers were redeemed, by local days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Date, bindparam, cast, func, select

from loyalty_common.database import Transaction
from loyalty_common.money import format_amount
from loyalty_vouchers.domain.dates import period
from loyalty_vouchers.models import Redemption

_REDEMPTIONS = Redemption.__table__
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """``first`` and ``last`` are days in ``time_zone``, both included; ``interval``: day, week or month.

    ``partner_location_id``: only what was redeemed there; None is everywhere.
    """

    first: date
    last: date
    interval: str
    time_zone: str
    currency: str
    partner_location_id: int | None


def statistics(tx: Transaction, question: Question) -> dict[str, Any]:
    """What stands redeemed. ``discount_amount`` adds up what was in ``currency``: others cannot be added to it."""
    redeemed = {row.starts_on: row for row in tx.execute(_counted(question))}
    discount = sum((row.discount_amount or _NOTHING for row in redeemed.values()), _NOTHING)
    buckets = [(day, redeemed[day].redeemed if day in redeemed else 0) for day in starts_of(question)]
    return {
        "totals": {
            "vouchers_redeemed": sum(count for _, count in buckets),
            "discount_amount": format_amount(discount, question.currency),
        },
        "buckets": [{"date": day.isoformat(), "vouchers_redeemed": count} for day, count in buckets],
    }


def _counted(question: Question) -> Any:
    asked = period(question.first, question.last, time_zone=question.time_zone)
    local = func.timezone(question.time_zone, _REDEMPTIONS.c.redeemed_at)
    starts_on = cast(func.date_trunc(question.interval, local), Date).label("starts_on")
    in_currency = _REDEMPTIONS.c.currency == question.currency
    counted: Any = select(
        starts_on,
        func.count().label("redeemed"),
        func.sum(_REDEMPTIONS.c.discount_amount).filter(in_currency).label("discount_amount"),
    ).where(
        _REDEMPTIONS.c.tenant_id == bindparam("tenant_id"),
        _REDEMPTIONS.c.rolled_back_at.is_(None),
        *asked.holds(_REDEMPTIONS.c.redeemed_at),
    )
    if question.partner_location_id is not None:
        counted = counted.where(_REDEMPTIONS.c.partner_location_id == question.partner_location_id)
    return counted.group_by("starts_on")


def starts_of(question: Question) -> Iterator[date]:
    """The first day of each interval that has a day of the question in it; a week starts on Monday."""
    day = _start(question.first, question.interval)
    while day <= question.last:
        yield day
        # Every interval is shorter than 32 days, and the day after those lies in the next one.
        days = {"day": 1, "week": 7, "month": 32}[question.interval]
        day = _start(day + timedelta(days=days), question.interval)


def _start(day: date, interval: str) -> date:
    if interval == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if interval == "month" else day
