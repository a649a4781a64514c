"""A voucher is valid on whole days of the place that it belongs to, the days of a clock change too."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_vouchers.domain import errors
from loyalty_vouchers.domain.dates import local_date
from loyalty_vouchers.domain.redeeming import Terms, Uses, decide

ZONES = [
    "UTC",
    "America/New_York",
    "America/St_Johns",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
]
instants = st.integers(
    int(datetime(2020, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2035, 12, 31, tzinfo=UTC).timestamp())
).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
ONE_DAY = Terms(
    is_active=True,
    valid_from=date(2026, 3, 8),
    valid_until=date(2026, 3, 8),
    time_zone="America/New_York",
    discount_type="fixed",
    discount_value=Decimal(5),
    currency="USD",
    minimum_order_amount=None,
    max_discount_amount=None,
    max_redemptions=None,
    max_redemptions_per_customer=None,
)


def redeem(terms: Terms, *, at: datetime) -> Decimal:
    uses = Uses(in_all=0, by_customer=0)
    return decide(terms, uses, order_amount=Decimal(45), currency=None, occurred_at=at)


@pytest.mark.parametrize(
    ("day", "first_instant", "last_instant"),
    [
        # New York moves its clocks on both days: the first lasts 23 hours, the second 25.
        (date(2026, 3, 8), datetime(2026, 3, 8, 5, 0, tzinfo=UTC), datetime(2026, 3, 9, 3, 59, 59, tzinfo=UTC)),
        (date(2026, 11, 1), datetime(2026, 11, 1, 4, 0, tzinfo=UTC), datetime(2026, 11, 2, 4, 59, 59, tzinfo=UTC)),
    ],
)
def test_a_day_of_a_clock_change_is_valid_from_its_first_to_its_last_second(
    day: date, first_instant: datetime, last_instant: datetime
) -> None:
    terms = replace(ONE_DAY, valid_from=day, valid_until=day)
    for at in (first_instant, last_instant):
        assert redeem(terms, at=at) == 5
    with pytest.raises(errors.VoucherNotYetValid):
        redeem(terms, at=first_instant - timedelta(seconds=1))
    with pytest.raises(errors.VoucherExpired):
        redeem(terms, at=last_instant + timedelta(seconds=1))


def test_the_same_instant_is_two_days_in_two_places() -> None:
    at = datetime(2026, 3, 8, 11, 0, tzinfo=UTC)
    assert redeem(ONE_DAY, at=at) == 5
    with pytest.raises(errors.VoucherExpired):
        redeem(replace(ONE_DAY, time_zone="Pacific/Kiritimati"), at=at)
    with pytest.raises(errors.VoucherNotYetValid):
        redeem(replace(ONE_DAY, time_zone="Pacific/Pago_Pago"), at=at - timedelta(hours=2))


@given(
    zone=st.sampled_from(ZONES),
    day=st.dates(date(2020, 1, 1), date(2035, 12, 31)),
    wall_clock=st.times(),
    fold=st.sampled_from([0, 1]),
)
def test_every_wall_clock_reading_of_the_day_is_within_it(zone: str, day: date, wall_clock: time, fold: int) -> None:
    reading = datetime.combine(day, wall_clock, tzinfo=ZoneInfo(zone)).replace(fold=fold)
    terms = replace(ONE_DAY, time_zone=zone, valid_from=day, valid_until=day)
    # A reading that a clock change skips still names an instant, and these zones change well after midnight.
    assert redeem(terms, at=reading.astimezone(UTC)) == 5


@given(
    zone=st.sampled_from(ZONES),
    at=instants,
    opens=st.integers(-3, 3),
    days=st.integers(0, 3),
)
def test_it_is_valid_exactly_between_its_days_both_included(zone: str, at: datetime, opens: int, days: int) -> None:
    today = local_date(at, zone)
    valid_from = today + timedelta(days=opens)
    terms = replace(ONE_DAY, time_zone=zone, valid_from=valid_from, valid_until=valid_from + timedelta(days=days))
    try:
        redeem(terms, at=at)
    except errors.VoucherNotYetValid:
        assert opens > 0
    except errors.VoucherExpired:
        assert opens + days < 0
    else:
        assert opens <= 0 <= opens + days
