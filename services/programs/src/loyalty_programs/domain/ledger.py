"""Ledger rows to be: a change of the balance, before it has an id. Pure; the same for every type of row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from loyalty_programs.domain.errors import BalanceOutOfRange
from loyalty_programs.domain.lots import Lot, Taking, remainder_of_new_lot, take

MAX_BALANCE = 2**53 - 1
"""The largest integer that every JSON reader carries exactly."""


@dataclass(frozen=True, slots=True)
class Entry:
    """``takings``: what a negative row takes from the lots. ``amount`` only on a purchase or its refund."""

    type: str
    points_delta: int
    points_balance_after: int
    points_remaining: int = 0
    expires_on: date | None = None
    takings: tuple[Taking, ...] = ()
    amount: Decimal | None = None
    currency: str | None = None


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
    field: str = "points",
) -> Entry:
    """A row of ``points`` ≥ 0. ``field`` is the request field to blame if the balance would leave its range."""
    after = points_balance + points
    if after > MAX_BALANCE:
        raise BalanceOutOfRange(field, limit=MAX_BALANCE)
    remaining = remainder_of_new_lot(points_delta=points, points_balance_after=after)
    return Entry(kind, points, after, remaining, expires_on if points else None, amount=amount, currency=currency)


def loss(kind: str, points: int, *, points_balance: int, lots: Iterable[Lot]) -> Entry:
    """A row that takes ``points`` > 0 away, from the lots that expire first."""
    return Entry(kind, -points, points_balance - points, takings=take(lots, points))
