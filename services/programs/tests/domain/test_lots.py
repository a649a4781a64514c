"""Which points are spent first, and that lots and balance never part."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_programs.domain import errors
from loyalty_programs.domain.ledger import MAX_BALANCE, Entry, gain, loss, restore, spend
from loyalty_programs.domain.lots import Lot, Spend, take

MAY, JUNE = date(2027, 5, 16), date(2027, 6, 16)

days = st.none() | st.dates(date(2026, 1, 1), date(2028, 1, 1))


def test_points_that_expire_first_are_spent_first() -> None:
    lots = [Lot(3, 10, None), Lot(1, 10, JUNE), Lot(2, 10, MAY)]
    assert [(taking.lot.transaction_id, taking.points) for taking in take(lots, 25)] == [(2, 10), (1, 10), (3, 5)]


def test_of_points_that_expire_together_the_older_are_spent_first() -> None:
    lots = [Lot(8, 10, MAY), Lot(7, 10, MAY)]
    (taking,) = take(lots, 4)
    assert (taking.lot.transaction_id, taking.points_remaining) == (7, 6)


def test_a_spend_beyond_all_lots_empties_them() -> None:
    assert sum(taking.points for taking in take([Lot(1, 10, MAY), Lot(2, 5, None)], 40)) == 15


@given(st.lists(st.tuples(st.integers(1, 100), days), max_size=8), st.integers(0, 600))
def test_taking_never_overdraws_a_lot_and_never_takes_more_than_asked(
    stock: list[tuple[int, date | None]], points: int
) -> None:
    lots = [Lot(number, points_remaining, day) for number, (points_remaining, day) in enumerate(stock)]
    takings = take(lots, points)
    assert all(0 < taking.points <= taking.lot.points_remaining for taking in takings)
    assert sum(taking.points for taking in takings) == min(points, sum(lot.points_remaining for lot in lots))
    spent_dry = {taking.lot.transaction_id for taking in takings if taking.points_remaining == 0}
    assert len(takings) - len(spent_dry) <= 1, "at most the last lot taken from keeps something"


def test_points_given_back_go_to_the_lots_that_live_longest_where_a_debt_swallows_the_rest() -> None:
    spends = [Spend(Lot(1, 0, MAY), 10), Spend(Lot(2, 3, None), 10), Spend(Lot(3, 0, JUNE), 10)]
    entry = restore(30, points_balance=-12, spends=spends)
    assert [(giving.lot.transaction_id, giving.points_remaining) for giving in entry.givings] == [(2, 13), (3, 8)]
    assert (entry.points_delta, entry.points_balance_after, entry.points_remaining) == (30, 18, 0)


def test_points_given_back_never_lift_a_balance_beyond_its_range() -> None:
    with pytest.raises(errors.BalanceOutOfRange):
        restore(1, points_balance=MAX_BALANCE, spends=[Spend(Lot(1, 0, None), 1)])


def test_a_spend_counts_only_the_lots_it_may_spend() -> None:
    with pytest.raises(errors.InsufficientPoints, match="balance of 7 points"):
        spend("redeem", 8, points_balance=20, lots=[Lot(1, 7, MAY)])


@given(
    st.lists(st.tuples(st.sampled_from(["gain", "spend", "debit", "restore"]), st.integers(1, 120), days), max_size=30)
)
def test_lots_add_up_to_the_balance_or_to_nothing_while_it_is_a_debt(
    changes: list[tuple[str, int, date | None]],
) -> None:
    books = Books()
    for kind, points, day in changes:
        books.change(kind, points, day)
        assert sum(lot.points_remaining for lot in books.lots.values()) == max(0, books.balance)
        assert all(0 <= lot.points_remaining <= books.held[number] for number, lot in books.lots.items())


class Books:
    """A ledger in memory: what each lot may hold at most, and what each spend took, until it is given back."""

    def __init__(self) -> None:
        self.balance = 0
        self.lots: dict[int, Lot] = {}
        self.held: dict[int, int] = {}
        self.spent: list[Entry] = []

    def change(self, kind: str, points: int, day: date | None) -> None:
        stock = self.lots.values()
        if kind == "gain":
            number = len(self.lots)
            entry = gain("adjust", points, points_balance=self.balance, expires_on=day)
            self.lots[number] = Lot(number, entry.points_remaining, day)
            self.held[number] = points
        elif kind == "debit":
            entry = loss("reverse", points, points_balance=self.balance, lots=stock)
        elif kind == "spend" and points <= self.balance:
            entry = spend("redeem", points, points_balance=self.balance, lots=stock)
            self.spent.append(entry)
        elif kind == "restore" and self.spent:
            spends = [Spend(self.lots[taken.lot.transaction_id], taken.points) for taken in self.spent[0].takings]
            entry = restore(-self.spent.pop(0).points_delta, points_balance=self.balance, spends=spends)
        else:
            return
        self.balance = entry.points_balance_after
        for change in entry.lot_changes:
            number = change.lot.transaction_id
            self.lots[number] = replace(change.lot, points_remaining=change.points_remaining)
