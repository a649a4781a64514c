"""When a loyalty card is valid: whole local days, both ends included."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_programs.domain import errors
from loyalty_programs.domain.dates import local_date, start_of_day
from loyalty_programs.domain.terms import CardTerms, check_valid

INSIDER = CardTerms(
    name="Insider Points",
    is_active=True,
    date_issued=date(2026, 3, 8),  # the day on which New York loses an hour
    expiry_date=date(2026, 11, 1),  # the day on which it gets it back
    time_zone="America/New_York",
)
A_MICROSECOND = timedelta(microseconds=1)

moments = st.integers(0, 400 * 86_400).map(lambda s: datetime(2025, 12, 1, tzinfo=UTC) + timedelta(seconds=s))


@pytest.mark.parametrize(
    "moment",
    [
        "2026-03-08T05:00:00+00:00",
        "2026-03-09T03:59:59+00:00",
        "2026-11-01T04:00:00+00:00",
        "2026-11-02T04:59:59+00:00",
    ],
)
def test_the_first_and_the_last_day_are_valid_from_end_to_end(moment: str) -> None:
    check_valid(INSIDER, datetime.fromisoformat(moment))


def test_the_instant_before_the_first_day_is_too_early() -> None:
    with pytest.raises(errors.CardNotYetValid, match="from 2026-03-08"):
        check_valid(INSIDER, datetime(2026, 3, 8, 5, tzinfo=UTC) - A_MICROSECOND)


def test_the_instant_after_the_last_day_is_too_late() -> None:
    with pytest.raises(errors.CardExpired, match="on 2026-11-01"):
        check_valid(INSIDER, datetime(2026, 11, 2, 5, tzinfo=UTC))


def test_a_card_without_an_expiry_date_stays_valid() -> None:
    check_valid(replace(INSIDER, expiry_date=None), datetime(2199, 1, 1, tzinfo=UTC))


def test_an_inactive_card_is_refused_whatever_the_day() -> None:
    with pytest.raises(errors.CardInactive):
        check_valid(replace(INSIDER, is_active=False), datetime(2026, 5, 16, tzinfo=UTC))


@given(
    moments,
    st.sampled_from(["UTC", "Asia/Beirut", "America/Havana", "Pacific/Kiritimati", "Pacific/Pago_Pago"]),
)
def test_a_card_is_valid_exactly_between_its_days(moment: datetime, zone: str) -> None:
    card = replace(INSIDER, time_zone=zone)
    begins = start_of_day(card.date_issued, zone)
    ends = start_of_day(date(2026, 11, 2), zone)
    try:
        check_valid(card, moment)
    except errors.CardNotYetValid:
        assert moment < begins
    except errors.CardExpired:
        assert moment >= ends
    else:
        assert begins <= moment < ends


def test_points_expire_by_the_calendar_of_the_place() -> None:
    monthly = replace(INSIDER, points_expire_after_months=1)
    new_years_eve_in_new_york = datetime(2027, 1, 1, 4, 59, tzinfo=UTC)
    assert local_date(new_years_eve_in_new_york, "America/New_York") == date(2026, 12, 31)
    assert monthly.points_expire_on(new_years_eve_in_new_york) == date(2027, 1, 31)
    assert INSIDER.points_expire_on(new_years_eve_in_new_york) is None
