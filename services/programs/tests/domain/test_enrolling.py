"""Who becomes a member of a loyalty card, and what a member number looks like."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_programs.domain import errors
from loyalty_programs.domain.enrolling import enroll
from loyalty_programs.domain.ledger import Member
from loyalty_programs.domain.members import NUMBERS, is_member_number, member_number
from loyalty_programs.domain.terms import CardTerms

NOON = datetime(2026, 5, 16, 12, tzinfo=UTC)
INSIDER = CardTerms(
    name="Insider Points",
    is_active=True,
    date_issued=date(2026, 5, 16),
    expiry_date=None,
    time_zone="UTC",
    initial_bonus_points=50,
    points_expire_after_months=12,
)


def test_a_new_member_gets_the_bonus_with_an_expiry_of_its_own() -> None:
    bonus = enroll(INSIDER, None, at=NOON)
    assert bonus is not None
    assert [(entry.type, entry.points_delta, entry.points_balance_after) for entry in bonus] == [("bonus", 50, 50)]
    assert (bonus[0].points_remaining, bonus[0].expires_on) == (50, date(2027, 5, 16))


def test_a_card_without_a_bonus_enrolls_without_a_row() -> None:
    assert enroll(replace(INSIDER, initial_bonus_points=0), None, at=NOON) == ()


def test_a_member_gets_nothing_again() -> None:
    assert enroll(INSIDER, Member(status="active", points_balance=3), at=NOON) is None


def test_a_suspended_member_is_told_so() -> None:
    with pytest.raises(errors.EnrollmentSuspended):
        enroll(INSIDER, Member(status="suspended", points_balance=3), at=NOON)


def test_a_card_that_is_not_valid_enrolls_nobody() -> None:
    with pytest.raises(errors.CardInactive):
        enroll(replace(INSIDER, is_active=False), None, at=NOON)
    with pytest.raises(errors.CardNotYetValid):
        enroll(replace(INSIDER, date_issued=date(2026, 5, 17)), None, at=NOON)
    with pytest.raises(errors.CardExpired):
        enroll(replace(INSIDER, date_issued=date(2026, 1, 1), expiry_date=date(2026, 5, 15)), None, at=NOON)


def test_a_member_number_is_twelve_digits_in_groups_of_four() -> None:
    assert member_number(48_210_093_771) == "4821-0093-7713"
    assert member_number(0) == "0000-0000-0000"


@given(st.integers(0, NUMBERS - 1), st.integers(0, 11), st.integers(1, 9))
def test_one_mistyped_digit_is_always_noticed(chosen: int, place: int, difference: int) -> None:
    number = member_number(chosen).replace("-", "")
    assert is_member_number(number)
    wrong = number[:place] + str((int(number[place]) + difference) % 10) + number[place + 1 :]
    assert not is_member_number(wrong)
