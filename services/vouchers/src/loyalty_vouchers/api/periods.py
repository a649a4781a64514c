"""``from`` and ``to`` of lists and downloads: days of the organization, both included, or moments."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from loyalty_common import fields, web
from loyalty_vouchers.domain import dates
from loyalty_vouchers.domain.dates import Period

_DAY_CHARACTERS = 10


class Bound(fields.Field):
    """A date, or a moment with its offset."""

    openapi = {"anyOf": [{"type": "string", "format": kind} for kind in ("date", "date-time")]}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        kind = fields.Date if len(value) <= _DAY_CHARACTERS else fields.Timestamp
        bound: date = kind().deserialize(value)
        return bound


class PeriodQuery(fields.Schema):
    since = Bound(data_key="from", metadata={"description": "Redeemed at that time or on that day, or later."})
    until = Bound(data_key="to", metadata={"description": "Redeemed before that time, or on that day or earlier."})


def asked_for(query: Mapping[str, Any]) -> Period:
    return dates.period(query["since"], query["until"], time_zone=web.current_call().organization.time_zone)
