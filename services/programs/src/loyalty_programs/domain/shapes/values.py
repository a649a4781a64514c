"""How single values look, null or not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from loyalty_common.envelope import timestamp
from loyalty_common.money import format_amount

Columns = Mapping[str, Any]


def amount_or_none(amount: Decimal | None, currency: str | None) -> str | None:
    return None if amount is None else format_amount(amount, currency)


def day_or_none(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def moment_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else timestamp(moment)
