"""Ledger rows to be: a change of the balance, before it has an id. Pure; the same for every type of row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from loyalty_programs.domain.errors import BalanceOutOfRange, InsufficientPoints
from loyalty_programs.domain.lots import Giving, Lot, Spend, Taking, give_back, remainder_of_new_lot, take
from loyalty_programs.domain.terms import EarnRule

MAX_BALANCE = 2**53 - 1
"""The largest integer that every JSON reader carries exactly."""


@dataclass(frozen=True, slots=True)
class Entry:
    """``takings``: what a negative row takes from the lots; ``givings``: what a positive one gives back to them.

    ``amount`` only on a purchase or its refund, ``rule`` only on a purchase.
    """

    type: str
    points_delta: int
    points_balance_after: int
    points_remaining: int = 0
    expires_on: date | None = None
    takings: tuple[Taking, ...] = ()
    givings: tuple[Giving, ...] = ()
    amount: Decimal | None = None
    currency: str | None = None
    rule: EarnRule | None = None

    @property
    def lot_changes(self) -> tuple[Taking | Giving, ...]:
        return (*self.takings, *self.givings)


@dataclass(frozen=True, slots=True)
class Member:
    """What decisions need to know of an enrollment."""

    status: str
    points_balance: int


def gain(
    kind: str,
    points: int,
    *,
    points_balance: int,
    expires_on: date | None,
    amount: Decimal | None = None,
    currency: str | None = None,
    rule: EarnRule | None = None,
    field: str = "points",
) -> Entry:
    """A row of ``points`` ≥ 0. ``field`` is the request field to blame if the balance would leave its range."""
    after = _within_range(points_balance + points, field)
    remaining = remainder_of_new_lot(points_delta=points, points_balance_after=after)
    expires_on = expires_on if points else None
    return Entry(kind, points, after, remaining, expires_on, amount=amount, currency=currency, rule=rule)


def loss(
    kind: str,
    points: int,
    *,
    points_balance: int,
    lots: Iterable[Lot],
    first: int | None = None,
    amount: Decimal | None = None,
    currency: str | None = None,
) -> Entry:
    """A row that takes ``points`` ≥ 0 away, from the lots that expire first; from that of ``first`` before them."""
    takings = take(lots, points, first=first)
    return Entry(kind, -points, points_balance - points, takings=takings, amount=amount, currency=currency)


def spend(kind: str, points: int, *, points_balance: int, lots: Iterable[Lot], field: str | None = "points") -> Entry:
    """A row that takes ``points`` > 0 which must be there: ``InsufficientPoints`` if the lots hold fewer.

    ``lots``: enough of those that may be spent to cover ``points``, or all of them. ``field``: the request field
    that asked for so many, if one did.
    """
    lots = tuple(lots)
    spendable = sum(lot.points_remaining for lot in lots)
    if spendable < points:
        raise InsufficientPoints(points_balance=spendable, field=field)
    return loss(kind, points, points_balance=points_balance, lots=lots)


def write_off(lots: Iterable[Lot], *, points_balance: int) -> Entry:
    """An ``expire`` row that empties ``lots``."""
    lots = tuple(lots)
    return loss("expire", sum(lot.points_remaining for lot in lots), points_balance=points_balance, lots=lots)


def restore(points: int, *, points_balance: int, spends: Iterable[Spend]) -> Entry:
    """A ``reverse`` row that gives ``points`` > 0 back to the lots that ``spends`` took them from.

    It holds nothing itself, so the points keep their old expiry; a debt is paid first.
    """
    after = _within_range(points_balance + points, "points")
    givings = give_back(spends, remainder_of_new_lot(points_delta=points, points_balance_after=after))
    return Entry("reverse", points, after, givings=givings)


def _within_range(points_balance: int, field: str) -> int:
    if points_balance > MAX_BALANCE:
        raise BalanceOutOfRange(field, limit=MAX_BALANCE)
    return points_balance
