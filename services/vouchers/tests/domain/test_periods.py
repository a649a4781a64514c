"""Days and moments as the two ends of a period."""

from datetime import UTC, date, datetime, timedelta

import pytest

from loyalty_vouchers.domain.dates import Period, period
from loyalty_vouchers.domain.statistics import Question, starts_of

NOON = datetime(2026, 3, 8, 12, tzinfo=UTC)
NEW_YORK = "America/New_York"


@pytest.mark.parametrize(
    ("first", "last", "since", "until"),
    [
        (None, None, None, None),
        (NOON, NOON, NOON, NOON),
        # The clocks go forward on the 8th, which lasts 23 hours, and back on November 1st, which lasts 25.
        (date(2026, 3, 8), date(2026, 3, 8), datetime(2026, 3, 8, 5, tzinfo=UTC), datetime(2026, 3, 9, 4, tzinfo=UTC)),
        (
            date(2026, 11, 1),
            date(2026, 11, 1),
            datetime(2026, 11, 1, 4, tzinfo=UTC),
            datetime(2026, 11, 2, 5, tzinfo=UTC),
        ),
        (date(2026, 3, 8), None, datetime(2026, 3, 8, 5, tzinfo=UTC), None),
        (date.min, date.max, datetime(1, 1, 1, 4, 56, 2, tzinfo=UTC), None),
    ],
)
def test_a_day_is_in_from_its_first_to_its_last_instant(
    first: date | None, last: date | None, since: datetime | None, until: datetime | None
) -> None:
    assert period(first, last, time_zone=NEW_YORK) == Period(since, until)


def test_the_first_day_of_the_calendar_is_no_bound_where_it_began_before_that() -> None:
    assert period(date.min, None, time_zone="Asia/Tokyo") == Period()


def test_a_period_is_widened_as_far_as_the_calendar_goes() -> None:
    hour = timedelta(hours=1)
    assert Period(NOON, NOON).widened(before=hour, after=hour) == Period(NOON - hour, NOON + hour)
    ends = Period(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
    assert ends.widened(before=hour, after=hour) == Period()


@pytest.mark.parametrize(
    ("first", "last", "interval", "starts"),
    [
        (date(2026, 2, 27), date(2026, 3, 1), "day", [date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1)]),
        (date(2026, 3, 2), date(2026, 3, 8), "week", [date(2026, 3, 2)]),
        (date(2026, 3, 1), date(2026, 3, 2), "week", [date(2026, 2, 23), date(2026, 3, 2)]),
        (date(2026, 1, 31), date(2026, 3, 1), "month", [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]),
        (date(2026, 12, 31), date(2027, 1, 1), "month", [date(2026, 12, 1), date(2027, 1, 1)]),
    ],
)
def test_every_interval_with_a_day_of_the_question_is_answered(
    first: date, last: date, interval: str, starts: list[date]
) -> None:
    question = Question(
        first=first, last=last, interval=interval, time_zone="UTC", currency="USD", partner_location_id=None
    )
    assert list(starts_of(question)) == starts
