"""Who may claim a reward, as tables."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_common.errors import Refusal
from loyalty_programs.domain import claiming, errors
from loyalty_programs.domain.claiming import CODES, RewardTerms, claim, claim_code
from loyalty_programs.domain.ledger import Member
from loyalty_programs.domain.lots import Lot
from loyalty_programs.domain.rewards import RewardSettings, check
from loyalty_programs.domain.terms import CardTerms

NOON = datetime(2026, 5, 16, 16, 0, tzinfo=UTC)
CARD = CardTerms("Insider Points", True, date(2026, 1, 1), None, "America/New_York")
ALEX = Member("active", 50)
LOTS = (Lot(1, 30, date(2027, 5, 16)), Lot(2, 20, None))
PASTRY = RewardTerms("Free pastry", 20, 10, 0, None, None, None, True)


def refusal(**change: Any) -> type[Exception]:
    facts: dict[str, Any] = {"card": CARD, "member": ALEX, "claims_of_customer": 0, "at": NOON, "lots": LOTS}
    facts |= {name: change.pop(name) for name in list(change) if name in facts}
    with pytest.raises(Refusal) as refused:
        claim(facts.pop("card"), facts.pop("member"), replace(PASTRY, **change), **facts)
    return refused.type


def test_a_claim_takes_its_cost_from_the_points_that_expire_first() -> None:
    entry = claim(CARD, ALEX, replace(PASTRY, points_cost=35), claims_of_customer=0, at=NOON, lots=LOTS)
    assert (entry.type, entry.points_delta, entry.points_balance_after) == ("redeem", -35, 15)
    assert [(taking.lot.transaction_id, taking.points) for taking in entry.takings] == [(1, 30), (2, 5)]


@pytest.mark.parametrize(
    ("facts", "refused"),
    [
        ({"is_active": False}, errors.RewardInactive),
        ({"valid_from": date(2026, 5, 17)}, errors.RewardNotYetValid),
        ({"valid_until": date(2026, 5, 15)}, errors.RewardExpired),
        ({"quantity": 3, "claimed_count": 3}, errors.RewardOutOfStock),
        ({"quantity": 0}, errors.RewardOutOfStock),
        ({"max_claims_per_customer": 2, "claims_of_customer": 2}, errors.RewardLimitReached),
        ({"points_cost": 51}, errors.InsufficientPoints),
        ({"member": None}, errors.CustomerNotEnrolled),
        ({"member": Member("suspended", 50)}, errors.EnrollmentSuspended),
        ({"card": replace(CARD, is_active=False)}, errors.CardInactive),
        ({"card": replace(CARD, date_issued=date(2026, 5, 17))}, errors.CardNotYetValid),
        ({"card": replace(CARD, expiry_date=date(2026, 5, 15))}, errors.CardExpired),
        # Of several causes the one that is told is the one furthest from the customer's balance.
        ({"is_active": False, "card": replace(CARD, is_active=False)}, errors.CardInactive),
        ({"is_active": False, "member": None}, errors.CustomerNotEnrolled),
        ({"is_active": False, "quantity": 0}, errors.RewardInactive),
        ({"quantity": 0, "points_cost": 51}, errors.RewardOutOfStock),
        ({"max_claims_per_customer": 1, "claims_of_customer": 1, "points_cost": 51}, errors.RewardLimitReached),
    ],
)
def test_a_claim_is_refused_by_the_rule_it_breaks(facts: dict[str, Any], refused: type[Exception]) -> None:
    assert refusal(**facts) is refused


def test_both_dates_are_days_where_the_card_is_at_home() -> None:
    day = replace(PASTRY, valid_from=date(2026, 5, 16), valid_until=date(2026, 5, 16))
    first = datetime(2026, 5, 16, 4, 0, tzinfo=UTC)
    last = first + timedelta(days=1) - timedelta(microseconds=1)
    for moment in (first, last):
        claim(CARD, ALEX, day, claims_of_customer=0, at=moment, lots=LOTS)
    with pytest.raises(errors.RewardNotYetValid):
        claim(CARD, ALEX, day, claims_of_customer=0, at=first - timedelta(microseconds=1), lots=LOTS)
    with pytest.raises(errors.RewardExpired):
        claim(CARD, ALEX, day, claims_of_customer=0, at=last + timedelta(microseconds=1), lots=LOTS)


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 8), 23), (date(2026, 11, 1), 25)], ids=["clocks go on", "clocks go back"]
)
def test_a_day_on_which_clocks_change_is_one_day(day: date, hours: int) -> None:
    reward = replace(PASTRY, valid_from=day, valid_until=day)
    first = datetime(day.year, day.month, day.day, 5 if hours == 23 else 4, tzinfo=UTC)
    last = first + timedelta(hours=hours) - timedelta(microseconds=1)
    for moment in (first, last):
        claim(CARD, ALEX, reward, claims_of_customer=0, at=moment, lots=LOTS)
    assert refusal(valid_from=day, valid_until=day, at=last + timedelta(microseconds=1)) is errors.RewardExpired


@given(
    st.integers(0, 6),
    st.one_of(st.none(), st.integers(0, 6)),
    st.one_of(st.none(), st.integers(1, 6)),
    st.integers(0, 6),
    st.integers(1, 60),
)
def test_a_claim_is_granted_just_when_stock_limit_and_points_allow(
    claimed_count: int, quantity: int | None, limit: int | None, claims_of_customer: int, cost: int
) -> None:
    reward = replace(
        PASTRY, points_cost=cost, quantity=quantity, claimed_count=claimed_count, max_claims_per_customer=limit
    )
    allowed = (
        (quantity is None or claimed_count < quantity)
        and (limit is None or claims_of_customer < limit)
        and cost <= ALEX.points_balance
    )
    try:
        entry = claim(CARD, ALEX, reward, claims_of_customer=claims_of_customer, at=NOON, lots=LOTS)
    except (errors.RewardRefusal, errors.InsufficientPoints):
        assert not allowed
    else:
        assert allowed
        assert entry.points_delta == -sum(taking.points for taking in entry.takings) == -cost


@pytest.mark.parametrize(
    ("status", "refused"),
    [("fulfilled", errors.ClaimAlreadyFulfilled), ("cancelled", errors.ClaimAlreadyCancelled)],
)
def test_a_claim_that_ended_does_not_end_again(status: str, refused: type[Exception]) -> None:
    claiming.check_open("claimed")
    with pytest.raises(refused):
        claiming.check_open(status)


@pytest.mark.parametrize(
    ("status", "stored", "sent", "expected"),
    [
        ("fulfilled", "POS-1", "POS-1", True),
        ("fulfilled", "POS-1", "POS-2", False),
        ("fulfilled", "POS-1", None, False),
        ("fulfilled", None, None, False),
        ("claimed", None, "POS-1", False),
        ("cancelled", "POS-1", "POS-1", False),
    ],
)
def test_an_order_is_repeated_if_it_says_so(status: str, stored: str | None, sent: str | None, expected: bool) -> None:
    assert claiming.is_repetition(status, stored_reference=stored, order_reference=sent) is expected


def test_codes_are_made_of_letters_that_nobody_confuses() -> None:
    assert claim_code(0) == "CLM-2222-2222"
    assert claim_code(CODES - 1) == "CLM-ZZZZ-ZZZZ"


@given(st.integers(0, CODES - 1), st.integers(0, CODES - 1))
def test_every_choice_is_a_code_of_its_own(one: int, other: int) -> None:
    assert re.fullmatch(r"CLM-[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}", claim_code(one))
    assert (claim_code(one) == claim_code(other)) is (one == other)


def test_a_reward_is_not_limited_to_fewer_than_are_claimed() -> None:
    settings = RewardSettings("Free pastry", None, 20, 3, None, None, None, True)
    check(settings, claimed_count=3)
    check(replace(settings, quantity=None), claimed_count=9)
    with pytest.raises(errors.QuantityBelowClaims):
        check(settings, claimed_count=4)
