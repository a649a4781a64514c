"""What purchases do to stamps, rewards and what is left over."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_programs.domain import errors
from loyalty_programs.domain.stamping import StampCardTerms, stamp

NOON = datetime(2026, 5, 16, 12, tzinfo=UTC)
COFFEE_CLUB = StampCardTerms(
    name="Coffee Club",
    is_active=True,
    stamps_required_for_reward=10,
    stamps_per_purchase=1,
    valid_from=date(2026, 1, 1),
    valid_until=date(2026, 12, 31),
    time_zone="America/New_York",
)


def rows(*, have: int, quantity: int, card: StampCardTerms = COFFEE_CLUB) -> list[tuple[str, int, int]]:
    entries = stamp(card, stamps_balance=have, quantity=quantity, occurred_at=NOON)
    return [(entry.type, entry.stamps_delta, entry.stamps_balance_after) for entry in entries]


def test_a_stamp_below_the_reward_is_one_row() -> None:
    assert rows(have=3, quantity=1) == [("earn", 1, 4)]


def test_three_stamps_on_nine_give_a_reward_and_leave_two() -> None:
    assert rows(have=9, quantity=3) == [("earn", 3, 12), ("reward", -10, 2)]


def test_twenty_five_stamps_give_two_rewards_and_leave_five() -> None:
    assert rows(have=0, quantity=25) == [("earn", 25, 25), ("reward", -10, 15), ("reward", -10, 5)]


def test_the_stamps_of_a_purchase_count_for_every_item() -> None:
    double = replace(COFFEE_CLUB, stamps_per_purchase=2)
    assert rows(have=0, quantity=3, card=double) == [("earn", 6, 6)]


@given(st.integers(0, 999), st.integers(1, 100), st.integers(1, 100), st.integers(1, 1000))
def test_no_stamp_is_lost_or_made_up(have: int, quantity: int, per_purchase: int, required: int) -> None:
    card = replace(COFFEE_CLUB, stamps_per_purchase=per_purchase, stamps_required_for_reward=required)
    entries = stamp(card, stamps_balance=have, quantity=quantity, occurred_at=NOON)
    rewards = [entry for entry in entries if entry.type == "reward"]
    left = entries[-1].stamps_balance_after
    assert 0 <= left < required
    assert have + quantity * per_purchase == len(rewards) * required + left
    assert have + sum(entry.stamps_delta for entry in entries) == left


@pytest.mark.parametrize(
    ("moment", "refusal"),
    [
        ("2026-01-01T04:59:59+00:00", errors.StampCardNotYetValid),
        ("2027-01-01T05:00:00+00:00", errors.StampCardExpired),
    ],
)
def test_outside_its_days_a_stamp_card_takes_no_stamps(moment: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        stamp(COFFEE_CLUB, stamps_balance=0, quantity=1, occurred_at=datetime.fromisoformat(moment))


@pytest.mark.parametrize("moment", ["2026-01-01T05:00:00+00:00", "2027-01-01T04:59:59+00:00"])
def test_the_first_and_the_last_day_take_stamps_in_local_time(moment: str) -> None:
    assert stamp(COFFEE_CLUB, stamps_balance=0, quantity=1, occurred_at=datetime.fromisoformat(moment))


def test_an_inactive_stamp_card_takes_no_stamps_and_an_open_window_has_no_end() -> None:
    with pytest.raises(errors.StampCardInactive):
        stamp(replace(COFFEE_CLUB, is_active=False), stamps_balance=0, quantity=1, occurred_at=NOON)
    always = replace(COFFEE_CLUB, valid_from=None, valid_until=None)
    assert stamp(always, stamps_balance=0, quantity=1, occurred_at=datetime(2199, 1, 1, tzinfo=UTC))
