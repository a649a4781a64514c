"""Which points are spent first, and that lots and balance never part."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from loyalty_programs.domain.ledger import Entry, gain, loss
from loyalty_programs.domain.lots import Lot, take

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


@given(st.lists(st.tuples(st.integers(-120, 120).filter(bool), days), max_size=25))
def test_lots_add_up_to_the_balance_or_to_nothing_while_it_is_a_debt(changes: list[tuple[int, date | None]]) -> None:
    balance, lots = 0, dict[int, Lot]()
    for number, (points, day) in enumerate(changes):
        entry = _change(points, day, balance, lots)
        balance = entry.points_balance_after
        for taking in entry.takings:
            lots[taking.lot.transaction_id] = Lot(
                taking.lot.transaction_id, taking.points_remaining, taking.lot.expires_on
            )
        lots[number] = Lot(number, entry.points_remaining, entry.expires_on)
        assert sum(lot.points_remaining for lot in lots.values()) == max(0, balance)
        assert all(lot.points_remaining >= 0 for lot in lots.values())


def _change(points: int, day: date | None, balance: int, lots: dict[int, Lot]) -> Entry:
    if points > 0:
        return gain("adjust", points, points_balance=balance, expires_on=day)
    return loss("reverse", -points, points_balance=balance, lots=lots.values())
