"""Lists as files, for spreadsheets and for other systems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import marshmallow as ma
from flask import Response, current_app

from loyalty_common import fields, web
from loyalty_common.downloads import csv_response, csv_text
from loyalty_common.envelope import timestamp
from loyalty_common.openapi import Blueprint
from loyalty_customers.domain import export_queries

blueprint = Blueprint("Exports", __name__, url_prefix="/v1/exports", description=__doc__)

_HEADER = ("id", "name", "email", "phone", "created_at")
_YEARS = range(1970, 3000)
_DATE, _TIME = fields.Date(), fields.Timestamp()


class DateOrTime(fields.Field):
    """A moment, or a date that means the whole local day."""

    openapi = {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date | datetime:
        kind = _DATE if isinstance(value, str) and len(value) == len("2026-05-16") else _TIME
        moment: date | datetime = kind._deserialize(value, attr, data, **kwargs)
        if moment.year not in _YEARS:
            raise ma.ValidationError("The :field field must be a time between 1970 and 2999.")
        return moment


class ExportQuery(fields.Schema):
    first = DateOrTime(data_key="from", metadata={"description": "Created then or later."})
    last = DateOrTime(data_key="to", metadata={"description": "Created then or earlier, a date to its end."})


@blueprint.route("/customers.csv", methods=["GET"])
@blueprint.download("customers:read", media_types=("text/csv",), query=ExportQuery, timeout_s=600)
def export_customers(query: Mapping[str, Any]) -> Response:
    """Export customers

    Oldest first. Dates are days in the organization's time zone, inclusive at both ends.
    """
    call = web.current_call()
    zone = call.organization.time_zone
    start = datetime.min.replace(tzinfo=UTC) if query["first"] is None else _start(query["first"], zone)
    # Who is created while the file is sent is not in it, or it might never end.
    end = call.now if query["last"] is None else min(call.now, _end(query["last"], zone))
    found = export_queries.customers(current_app.extensions["engine"], call.tenant_id, start=start, end=end)
    return csv_response(_HEADER, _cells(found), file_name="customers.csv")


def _cells(customers: Iterator[Any]) -> Iterator[tuple[object, ...]]:
    for row in customers:
        yield row.id, csv_text(row.name), csv_text(row.email), csv_text(row.phone), timestamp(row.created_at)


def _start(first: date | datetime, time_zone: str) -> datetime:
    if isinstance(first, datetime):
        return first
    return datetime.combine(first, time.min, ZoneInfo(time_zone)).astimezone(UTC)


def _end(last: date | datetime, time_zone: str) -> datetime:
    """The first moment that is not meant any more: of a time that is shown without fractions, the next second."""
    if isinstance(last, datetime):
        return last.replace(microsecond=0) + timedelta(seconds=1)
    return _start(last + timedelta(days=1), time_zone)
