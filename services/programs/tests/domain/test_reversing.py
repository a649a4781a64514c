"""Refunds and reversals: what they take back, what they give back, and that no sequence of them gains anything."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_programs.domain import errors
from loyalty_programs.domain.earning import points_for
from loyalty_programs.domain.ledger import Entry
from loyalty_programs.domain.lots import Lot, Spend
from loyalty_programs.domain.reversing import Bought, Original, reverse
from loyalty_programs.domain.terms import EarnRule

ONE_PER_TEN = EarnRule(spend=Decimal("10.00"), points=1, currency="USD")
COFFEE = Original(502, "earn", 2, bought=Bought(Decimal("24.50"), "USD", ONE_PER_TEN))
BONUS, TAKEN = Original(501, "bonus", 50), Original(504, "adjust", -8)
MAY, JUNE = date(2027, 5, 16), date(2027, 6, 16)


def refunded(original: Original, *amounts: str) -> tuple[Original, list[Entry]]:
    entries = []
    for amount in amounts:
        entry = reverse(original, amount=Decimal(amount), points_balance=100, may_owe=True)
        entries.append(entry)
        original = replace(original, amount_refunded=original.amount_refunded + Decimal(amount))
    return original, entries


def test_a_refund_in_parts_takes_what_the_rest_would_not_have_earned() -> None:
    original, entries = refunded(COFFEE, "5.00", "10.00", "9.50")
    assert [entry.points_delta for entry in entries] == [-1, -1, 0]
    assert (entries[0].type, entries[0].amount, entries[0].currency) == ("reverse", Decimal("5.00"), "USD")
    assert original.is_reversed


def test_without_an_amount_all_that_is_left_is_refunded() -> None:
    original, _ = refunded(COFFEE, "5.00")
    entry = reverse(original, amount=None, points_balance=100, may_owe=True)
    assert (entry.points_delta, entry.amount) == (-1, Decimal("19.50"))


purchases = st.builds(
    Bought,
    amount=st.decimals("0.01", "99999.99", places=2),
    currency=st.just("USD"),
    rule=st.builds(EarnRule, st.decimals("0.01", "300", places=2), st.integers(1, 10_000), st.just("USD")),
)


@given(purchases, st.lists(st.decimals("0.01", "99999.99", places=2), max_size=12), st.integers(-500, 10**9))
def test_no_sequence_of_refunds_gains_or_costs_anything_by_rounding(
    bought: Bought, amounts: list[Decimal], balance: int
) -> None:
    earned = points_for(bought.rule, amount=bought.amount)
    original, kept = Original(1, "earn", earned, bought=bought), earned
    for amount in amounts:
        left = bought.amount - original.amount_refunded
        if amount > left:
            continue
        entry = reverse(original, amount=amount, points_balance=balance, may_owe=True)
        assert entry.points_delta <= 0
        kept, balance = kept + entry.points_delta, entry.points_balance_after
        original = replace(original, amount_refunded=original.amount_refunded + amount)
        assert kept == points_for(bought.rule, amount=left - amount), "as if only the rest had been bought"
    if not original.is_reversed:
        assert kept + reverse(original, amount=None, points_balance=balance, may_owe=True).points_delta == 0


@given(purchases, st.integers(-500, 10**6), st.booleans())
def test_where_nobody_may_owe_a_refund_stops_at_zero_and_never_lifts_a_debt(
    bought: Bought, balance: int, in_parts: bool
) -> None:
    original = Original(1, "earn", points_for(bought.rule, amount=bought.amount), bought=bought)
    amount = Decimal("0.01") if in_parts else None
    entry = reverse(original, amount=amount, points_balance=balance, may_owe=False)
    assert entry.points_balance_after == (balance if balance <= 0 else max(0, entry.points_balance_after))
    owed = reverse(original, amount=amount, points_balance=balance, may_owe=True)
    assert owed.points_delta <= entry.points_delta <= 0


def test_a_refund_takes_from_its_own_purchase_first_then_from_what_expires_first() -> None:
    whole = replace(COFFEE, points_delta=20, bought=Bought(Decimal("200.00"), "USD", ONE_PER_TEN))
    lots = [Lot(502, 6, None), Lot(510, 5, JUNE), Lot(511, 5, MAY)]
    entry = reverse(whole, amount=None, points_balance=16, may_owe=True, lots=lots)
    assert [(taking.lot.transaction_id, taking.points) for taking in entry.takings] == [(502, 6), (511, 5), (510, 5)]
    assert entry.points_balance_after == -4, "the rest becomes a debt"


def test_a_bonus_is_reversed_whole_and_a_correction_comes_back_to_its_lots() -> None:
    assert reverse(BONUS, amount=None, points_balance=60, may_owe=True).points_delta == -50
    assert reverse(BONUS, amount=None, points_balance=20, may_owe=False).points_delta == -20
    entry = reverse(TAKEN, amount=None, points_balance=0, may_owe=True, spends=[Spend(Lot(501, 0, MAY), 8)])
    assert (entry.points_delta, entry.points_remaining, entry.givings[0].points_remaining) == (8, 0, 8)


@pytest.mark.parametrize(
    "original",
    [Original(1, "expire", -5), Original(1, "reverse", -5), Original(1, "reverse", 5), Original(1, "redeem", -5)],
)
def test_what_is_not_reversible(original: Original) -> None:
    with pytest.raises(errors.NotReversible):
        reverse(original, amount=None, points_balance=100, may_owe=True)


def test_a_redemption_is_reversible() -> None:
    redeemed = Original(503, "redeem", -30, redemption_id=71)
    entry = reverse(redeemed, amount=None, points_balance=20, may_owe=True, spends=[Spend(Lot(501, 20, MAY), 30)])
    assert (entry.points_delta, entry.points_balance_after) == (30, 50)


@pytest.mark.parametrize(
    ("original", "amount", "refusal"),
    [
        (BONUS, "1.00", errors.OnlyWhole),
        (replace(BONUS, reversal_count=1), None, errors.AlreadyReversed),
        (COFFEE, "24.51", errors.RefundExceedsPurchase),
        (replace(COFFEE, amount_refunded=Decimal("20.00")), "4.51", errors.RefundExceedsPurchase),
        (replace(COFFEE, amount_refunded=Decimal("24.50")), "0.01", errors.AlreadyReversed),
        (replace(COFFEE, amount_refunded=Decimal("24.50")), None, errors.AlreadyReversed),
        (COFFEE, "1.005", errors.TooManyDecimals),
    ],
)
def test_reversals_that_are_refused(original: Original, amount: str | None, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        reverse(original, amount=amount and Decimal(amount), points_balance=100, may_owe=True)


def test_a_purchase_of_which_a_part_was_refunded_still_stands() -> None:
    assert not replace(COFFEE, amount_refunded=Decimal("24.49"), reversal_count=3).is_reversed
