"""Local dates: which day it is somewhere, on DST days too. Pure."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo


def local_date(moment: datetime, time_zone: str) -> date:
    """The calendar day that a place is in at ``moment``; ``time_zone`` is an IANA name."""
    return moment.astimezone(ZoneInfo(time_zone)).date()
