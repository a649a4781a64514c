"""Local days, on the days too on which the clock is changed."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_programs.domain.dates import local_date, months_after, start_of_day

zones = st.sampled_from(
    "UTC America/New_York America/Havana America/Sao_Paulo Asia/Beirut Asia/Kathmandu Africa/Casablanca "
    "Europe/Berlin Australia/Lord_Howe Pacific/Kiritimati Pacific/Pago_Pago".split()
)
days = st.dates(date(2015, 1, 1), date(2035, 12, 31))
moments = st.integers(0, 20 * 365 * 86_400).map(lambda s: datetime(2015, 1, 1, tzinfo=UTC) + timedelta(seconds=s))


@pytest.mark.parametrize(
    ("day", "zone", "begins"),
    [
        (date(2026, 5, 16), "UTC", "2026-05-16T00:00:00+00:00"),
        (date(2026, 3, 8), "America/New_York", "2026-03-08T05:00:00+00:00"),
        (date(2026, 3, 9), "America/New_York", "2026-03-09T04:00:00+00:00"),
        (date(2026, 11, 2), "America/New_York", "2026-11-02T05:00:00+00:00"),
        # Midnight does not exist: the clock goes from 23:59:59 to 01:00.
        (date(2022, 3, 27), "Asia/Beirut", "2022-03-26T22:00:00+00:00"),
        # Midnight comes twice: at 01:00 the clock goes back to 00:00.
        (date(2023, 11, 5), "America/Havana", "2023-11-05T04:00:00+00:00"),
    ],
)
def test_a_day_begins_at_its_first_local_instant(day: date, zone: str, begins: str) -> None:
    assert start_of_day(day, zone).isoformat() == begins


@given(days, zones)
def test_the_instant_before_a_day_begins_belongs_to_an_earlier_day(day: date, zone: str) -> None:
    begins = start_of_day(day, zone)
    assert local_date(begins, zone) == day
    assert local_date(begins - timedelta(microseconds=1), zone) < day


@given(moments, zones)
def test_the_local_date_is_the_one_on_the_wall(moment: datetime, zone: str) -> None:
    assert local_date(moment, zone) == moment.astimezone(ZoneInfo(zone)).date()


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 5, 16), 12, date(2027, 5, 16)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
    ],
)
def test_months_are_counted_by_the_calendar(day: date, months: int, later: date) -> None:
    assert months_after(day, months) == later


@given(days, st.integers(0, 240))
def test_a_later_month_keeps_the_day_or_its_last(day: date, months: int) -> None:
    later = months_after(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later + timedelta(days=1)).day == 1
