"""When a referral program brings friends, and what its codes look like."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_programs.domain import errors
from loyalty_programs.domain.referral_terms import CODES, ReferralTerms, check_running, referral_code

MAY_FIRST, MAY_LAST = date(2026, 5, 1), date(2026, 5, 31)


@pytest.mark.parametrize(
    ("at", "runs"),
    [
        (datetime(2026, 5, 1, 3, 59, tzinfo=UTC), False),
        (datetime(2026, 5, 1, 4, 0, tzinfo=UTC), True),
        (datetime(2026, 6, 1, 3, 59, tzinfo=UTC), True),
        (datetime(2026, 6, 1, 4, 0, tzinfo=UTC), False),
    ],
)
def test_a_program_runs_from_its_first_day_to_its_last_where_the_card_is_at_home(at: datetime, runs: bool) -> None:
    program = ReferralTerms("Bring a friend", True, MAY_FIRST, MAY_LAST, "America/New_York")
    if runs:
        check_running(program, at)
    else:
        with pytest.raises(errors.ReferralProgramInactive):
            check_running(program, at)


def test_an_inactive_program_never_runs() -> None:
    with pytest.raises(errors.ReferralProgramInactive):
        check_running(ReferralTerms("Bring a friend", False, None, None, "UTC"), datetime(2026, 5, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Alex Rivera", "ALEX-4322"),
        ("Zoë", "ZOE-4322"),
        ("Jean-Pierre Dupont", "JEANPIERRE-4322"),
        ("Bartholomew-Maximilian", "BARTHOLOME-4322"),
        (None, "2222-4322"),
        ("Αλέξης", "2222-4322"),
        ("123 4", "2222-4322"),
    ],
)
def test_a_code_begins_with_the_first_name_in_plain_letters(name: str | None, code: str) -> None:
    assert referral_code(name, 32 + 2) == code


@given(st.text(), st.integers(0, CODES - 1))
def test_a_code_can_be_read_aloud(name: str, chosen: int) -> None:
    letters, chance = referral_code(name, chosen).split("-")
    assert letters.isascii()
    assert letters.isalnum()
    assert letters == letters.upper()
    assert len(chance) == 4
    assert not set(chance) & set("0O1I")
