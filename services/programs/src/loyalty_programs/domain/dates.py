"""Local dates: when a day begins and ends somewhere, on DST days too. Pure."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo


def local_date(moment: datetime, time_zone: str) -> date:
    """The calendar day that a place is in at ``moment``; ``time_zone`` is an IANA name."""
    return moment.astimezone(ZoneInfo(time_zone)).date()


def start_of_day(day: date, time_zone: str) -> datetime:
    """The first instant of a local day, in UTC.

    Where midnight is skipped (Beirut in March) the day begins with the change of the clock, where it comes
    twice (Havana in November) with the first of the two: both are what ``fold=0`` means.
    """
    return datetime.combine(day, time.min, ZoneInfo(time_zone)).astimezone(UTC)


def months_after(day: date, months: int) -> date:
    """The same day of a later month, or the month's last: 31 January and one month is 28 February."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
