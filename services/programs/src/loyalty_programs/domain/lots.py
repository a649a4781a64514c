"""Lots: positive ledger rows whose points are not all spent yet. Pure.

At all times the remainders of an enrollment's lots add up to max(0, balance).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Lot:
    transaction_id: int
    points_remaining: int
    expires_on: date | None

    def is_expired(self, today: date) -> bool:
        """``today`` is the day in the card's time zone; the last day itself still counts."""
        return self.expires_on is not None and self.expires_on < today


@dataclass(frozen=True, slots=True)
class Taking:
    """Points taken from a lot, and what that leaves in it."""

    lot: Lot
    points: int

    @property
    def points_remaining(self) -> int:
        return self.lot.points_remaining - self.points


@dataclass(frozen=True, slots=True)
class Spend:
    """Points that a negative row took from a lot, which is given as it is now."""

    lot: Lot
    points: int


@dataclass(frozen=True, slots=True)
class Giving:
    """Points given back to a lot, and what it holds with them."""

    lot: Lot
    points: int

    @property
    def points_remaining(self) -> int:
        return self.lot.points_remaining + self.points


def remainder_of_new_lot(*, points_delta: int, points_balance_after: int) -> int:
    """What a positive row leaves to be spent: it pays a debt first, and nothing of that can be spent again."""
    return max(0, min(points_delta, points_balance_after))


def take(lots: Iterable[Lot], points: int, *, first: int | None = None) -> tuple[Taking, ...]:
    """Takes ``points`` from the lots that expire first; those that never do come last, older before newer.

    ``first``: the transaction whose lot goes before all others, if it is among them. Where the lots hold less than
    ``points`` all of them are emptied: the rest becomes debt.
    """
    takings = []
    for lot in sorted(lots, key=lambda lot: (lot.transaction_id != first, _first_to_go(lot))):
        if points <= 0:
            break
        taken = min(points, lot.points_remaining)
        if taken:
            takings.append(Taking(lot, taken))
            points -= taken
    return tuple(takings)


def give_back(spends: Iterable[Spend], points: int) -> tuple[Giving, ...]:
    """Gives ``points`` back to the lots that they were taken from, so that they keep their expiry.

    Where a debt swallowed the rest of what was spent, the lots that live longest come first.
    """
    givings = []
    for spend in sorted(spends, key=lambda spend: _first_to_go(spend.lot), reverse=True):
        given = min(points, spend.points)
        if given:
            givings.append(Giving(spend.lot, given))
            points -= given
    return tuple(givings)


def _first_to_go(lot: Lot) -> tuple[date, int]:
    return lot.expires_on or date.max, lot.transaction_id
