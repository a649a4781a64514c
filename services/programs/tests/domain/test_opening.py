from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_programs.domain.errors import (
    BalanceOutOfRange,
    CardExpired,
    CardInactive,
    CardNotYetValid,
    EnrollmentSuspended,
    MemberSinceOutOfRange,
)
from loyalty_programs.domain.ledger import MAX_BALANCE, Member
from loyalty_programs.domain.opening import joined_at, open_balance
from loyalty_programs.domain.terms import CardTerms

NOON = datetime(2026, 5, 16, 12, tzinfo=UTC)
CARD = {
    "name": "Insider Points",
    "is_active": True,
    "date_issued": date(2026, 1, 1),
    "expiry_date": None,
    "time_zone": "America/New_York",
    "initial_bonus_points": 50,
}


def card(**changes: object) -> CardTerms:
    return CardTerms(**{**CARD, **changes})  # type: ignore[arg-type]


@given(points=st.integers(1, 10**9), balance=st.integers(-(10**6), 10**9), is_member=st.booleans())
def test_a_balance_comes_on_top_of_what_is_there_and_pays_a_debt_first(
    points: int, balance: int, is_member: bool
) -> None:
    entry = open_balance(card(), Member("active", balance) if is_member else None, points, at=NOON)
    before = balance if is_member else 0
    assert entry is not None
    assert (entry.type, entry.points_delta, entry.points_balance_after) == ("adjust", points, before + points)
    assert entry.points_remaining == max(0, min(points, before + points))


def test_nothing_to_begin_with_is_no_row() -> None:
    assert open_balance(card(), None, 0, at=NOON) is None


def test_the_points_expire_as_if_they_were_earned_today() -> None:
    entry = open_balance(card(points_expire_after_months=12), None, 5, at=NOON)
    assert entry is not None
    assert entry.expires_on == date(2027, 5, 16)


@pytest.mark.parametrize(
    ("changes", "member", "refusal"),
    [
        ({"is_active": False}, None, CardInactive),
        ({"date_issued": date(2026, 5, 17)}, None, CardNotYetValid),
        ({"expiry_date": date(2026, 5, 15)}, None, CardExpired),
        ({}, Member("suspended", 0), EnrollmentSuspended),
        ({}, Member("active", MAX_BALANCE), BalanceOutOfRange),
    ],
)
def test_what_refuses_points_refuses_these(
    changes: dict[str, object], member: Member | None, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        open_balance(card(**changes), member, 5, at=NOON)


@pytest.mark.parametrize(
    ("day", "moment"),
    [
        (None, NOON),
        (date(1900, 1, 1), datetime(1900, 1, 1, 5, tzinfo=UTC)),
        (date(2026, 5, 16), datetime(2026, 5, 16, 4, tzinfo=UTC)),
    ],
)
def test_a_membership_begins_with_its_day(day: date | None, moment: datetime) -> None:
    assert joined_at(day, time_zone="America/New_York", at=NOON) == moment


@pytest.mark.parametrize("day", [date(1, 1, 1), date(1899, 12, 31), date(2026, 5, 17), date(9999, 12, 31)])
def test_a_membership_begins_neither_before_our_time_nor_after_today(day: date) -> None:
    with pytest.raises(MemberSinceOutOfRange):
        joined_at(day, time_zone="Asia/Tokyo", at=NOON)
