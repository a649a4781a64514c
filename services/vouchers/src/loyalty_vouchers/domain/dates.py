"""Local dates: which day it is somewhere, on DST days too. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement

AHEAD = timedelta(minutes=5)
"""How far a till's clock may be before ours."""

BACK = timedelta(days=30)
"""How long a till that is offline may keep a redemption to itself."""


def local_date(moment: datetime, time_zone: str) -> date:
    """The calendar day that a place is in at ``moment``; ``time_zone`` is an IANA name."""
    return moment.astimezone(ZoneInfo(time_zone)).date()


@dataclass(frozen=True, slots=True)
class Period:
    """From ``since`` up to, but without, ``until``; None is no bound."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, column: ColumnElement[Any]) -> list[ColumnElement[bool]]:
        """Conditions on a column of moments."""
        since = [] if self.since is None else [column >= self.since]
        return since if self.until is None else [*since, column < self.until]

    def widened(self, *, before: timedelta, after: timedelta) -> Period:
        return Period(_moved(self.since, -before), _moved(self.until, after))


def period(first: date | datetime | None, last: date | datetime | None, *, time_zone: str) -> Period:
    """Between two moments, the second excluded; a date stands for its whole day in ``time_zone``, so both are in."""
    since = first if first is None or isinstance(first, datetime) else _midnight(first, time_zone)
    until = last if last is None or isinstance(last, datetime) else _midnight(last, time_zone, days_later=1)
    return Period(since, until)


def _midnight(day: date, time_zone: str, *, days_later: int = 0) -> datetime | None:
    """A day at the end of the calendar is no bound."""
    try:
        local = datetime.combine(day + timedelta(days=days_later), time.min, tzinfo=ZoneInfo(time_zone))
        return local.astimezone(UTC)
    except OverflowError:
        return None


def _moved(moment: datetime | None, by: timedelta) -> datetime | None:
    try:
        return None if moment is None else moment + by
    except OverflowError:
        return None
