"""What purchases and adjustments do to a balance, as rules and as properties."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_programs.domain import errors
from loyalty_programs.domain.earning import Adjustment, Purchase, points_for, post
from loyalty_programs.domain.ledger import MAX_BALANCE, Member
from loyalty_programs.domain.lots import Lot
from loyalty_programs.domain.terms import CardTerms, EarnRule

NOON = datetime(2026, 5, 16, 12, tzinfo=UTC)
INSIDER = CardTerms(
    name="Insider Points",
    is_active=True,
    date_issued=date(2026, 5, 16),
    expiry_date=date(2027, 12, 31),
    time_zone="America/New_York",
    earn_rule=EarnRule(spend=Decimal("10.00"), points=1, currency="USD"),
    initial_bonus_points=50,
)
ALEX = Member(status="active", points_balance=50)
COFFEE = Purchase(Decimal("24.50"), "USD")

amounts = st.decimals("0.01", "9999999999.99", places=2)


def rule(spend: str, points: int) -> EarnRule:
    return EarnRule(spend=Decimal(spend), points=points, currency="USD")


@pytest.mark.parametrize(
    ("spend", "points", "amount", "earned"),
    [
        ("10.00", 1, "24.50", 2),
        ("10.00", 1, "9.99", 0),
        ("10.00", 1, "10.00", 1),
        ("0.01", 3, "0.29", 87),
        ("2.50", 10, "7.49", 20),
        ("1000", 1, "999999.99", 999),
        ("1.234", 5, "2.468", 10),
    ],
)
def test_a_purchase_earns_for_whole_steps_only(spend: str, points: int, amount: str, earned: int) -> None:
    assert points_for(rule(spend, points), amount=Decimal(amount)) == earned


@given(amounts, st.decimals("0.01", "100000", places=2), st.integers(1, 10_000))
def test_points_are_exactly_the_whole_steps_that_fit(amount: Decimal, spend: Decimal, points: int) -> None:
    steps, rest = divmod(points_for(EarnRule(spend, points, "USD"), amount=amount), points)
    assert rest == 0
    assert steps * spend <= amount < (steps + 1) * spend


@given(amounts, amounts, st.decimals("0.01", "1000", places=2))
def test_splitting_a_purchase_never_earns_more(one: Decimal, other: Decimal, spend: Decimal) -> None:
    whole = EarnRule(spend, 1, "USD")
    apart = points_for(whole, amount=one) + points_for(whole, amount=other)
    assert points_for(whole, amount=one + other) - apart in (0, 1)


def test_the_receipt_of_the_reference_earns_two_points_on_top_of_the_bonus() -> None:
    (entry,) = post(INSIDER, ALEX, COFFEE, occurred_at=NOON).entries
    assert (entry.type, entry.points_delta, entry.points_balance_after) == ("earn", 2, 52)
    assert (entry.amount, entry.currency) == (Decimal("24.50"), "USD")


def test_a_purchase_below_one_step_is_recorded_without_points() -> None:
    (entry,) = post(INSIDER, ALEX, Purchase(Decimal("9.99"), "USD"), occurred_at=NOON).entries
    assert (entry.points_delta, entry.points_balance_after, entry.points_remaining) == (0, 50, 0)


def test_a_purchase_in_another_currency_is_refused() -> None:
    with pytest.raises(errors.CurrencyMismatch):
        post(INSIDER, ALEX, Purchase(Decimal("24.50"), "EUR"), occurred_at=NOON)


def test_a_card_without_an_earn_rule_refuses_purchases_and_takes_adjustments() -> None:
    plain = replace(INSIDER, earn_rule=None)
    with pytest.raises(errors.EarnRuleMissing):
        post(plain, ALEX, COFFEE, occurred_at=NOON)
    assert post(plain, ALEX, Adjustment(7), occurred_at=NOON).entries[-1].points_balance_after == 57


def test_a_stranger_is_refused_unless_the_card_enrolls_by_itself() -> None:
    with pytest.raises(errors.CustomerNotEnrolled):
        post(INSIDER, None, COFFEE, occurred_at=NOON)
    posting = post(replace(INSIDER, auto_enroll=True), None, COFFEE, occurred_at=NOON)
    assert posting.enrolls
    assert [(e.type, e.points_delta, e.points_balance_after) for e in posting.entries] == [
        ("bonus", 50, 50),
        ("earn", 2, 52),
    ]


def test_nobody_is_enrolled_in_order_to_lose_points() -> None:
    with pytest.raises(errors.CustomerNotEnrolled):
        post(replace(INSIDER, auto_enroll=True), None, Adjustment(-10), occurred_at=NOON)


def test_a_suspended_member_neither_earns_nor_loses() -> None:
    suspended = replace(ALEX, status="suspended")
    for command in (COFFEE, Adjustment(5), Adjustment(-5)):
        with pytest.raises(errors.EnrollmentSuspended):
            post(INSIDER, suspended, command, occurred_at=NOON)


def test_an_adjustment_below_zero_is_refused_to_the_last_point() -> None:
    with pytest.raises(errors.InsufficientPoints):
        post(INSIDER, ALEX, Adjustment(-51), occurred_at=NOON)
    lots = [Lot(501, 50, None)]
    (entry,) = post(INSIDER, ALEX, Adjustment(-50), occurred_at=NOON, lots=lots).entries
    assert (entry.points_balance_after, [taking.points for taking in entry.takings]) == (0, [50])


def test_no_balance_grows_past_what_json_carries_exactly() -> None:
    rich = Member(status="active", points_balance=MAX_BALANCE)
    with pytest.raises(errors.BalanceOutOfRange) as refused:
        post(INSIDER, rich, COFFEE, occurred_at=NOON)
    assert list(refused.value.details) == ["amount"]


def test_a_positive_row_pays_a_debt_before_it_can_be_spent() -> None:
    indebted = Member(status="active", points_balance=-30)
    (entry,) = post(INSIDER, indebted, Adjustment(50), occurred_at=NOON).entries
    assert (entry.points_balance_after, entry.points_remaining) == (20, 20)
    (entry,) = post(INSIDER, indebted, Adjustment(10), occurred_at=NOON).entries
    assert (entry.points_balance_after, entry.points_remaining) == (-20, 0)


def test_points_expire_counted_from_the_local_day_of_the_purchase() -> None:
    yearly = replace(INSIDER, points_expire_after_months=12)
    late_evening = datetime(2026, 6, 1, 3, 30, tzinfo=UTC)  # still 31 May in New York
    (entry,) = post(yearly, ALEX, COFFEE, occurred_at=late_evening).entries
    assert entry.expires_on == date(2027, 5, 31)
