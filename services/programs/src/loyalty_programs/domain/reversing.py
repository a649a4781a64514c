"""Undoing what a ledger row did: refunds of purchases, in parts or whole, and whole reversals of the rest. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from loyalty_common.money import has_too_many_decimals
from loyalty_programs.domain.earning import points_for
from loyalty_programs.domain.errors import (
    AlreadyReversed,
    NotReversible,
    OnlyWhole,
    RefundExceedsPurchase,
    TooManyDecimals,
)
from loyalty_programs.domain.ledger import Entry, loss, restore
from loyalty_programs.domain.lots import Lot, Spend
from loyalty_programs.domain.terms import EarnRule

_FOR_GOOD = {
    "expire": "Points that expired are not given back.",
    "reverse": "A reversal cannot be reversed.",
    "redeem": "The points of a claim come back when the claim is cancelled.",
}


@dataclass(frozen=True, slots=True)
class Bought:
    """What a purchase was, and by which rule it earned."""

    amount: Decimal
    currency: str
    rule: EarnRule


@dataclass(frozen=True, slots=True)
class Original:
    """A ledger row, and what was reversed of it so far. ``bought`` is None for all but purchases."""

    transaction_id: int
    type: str
    points_delta: int
    redemption_id: int | None = None
    bought: Bought | None = None
    reversal_count: int = 0
    amount_refunded: Decimal = Decimal(0)

    @property
    def is_reversed(self) -> bool:
        """Nothing is left of it; a purchase of which only a part was refunded still stands."""
        if self.bought is not None:
            return self.amount_refunded >= self.bought.amount
        return self.reversal_count > 0


def reverse(
    original: Original,
    *,
    amount: Decimal | None,
    points_balance: int,
    may_owe: bool,
    lots: Iterable[Lot] = (),
    spends: Iterable[Spend] = (),
) -> Entry:
    """The row that undoes the original; refusals are ``ReversalRefusal``, ``OnlyWhole`` and ``TooManyDecimals``.

    ``amount``: how much of a purchase is refunded, all that is left if None. ``may_owe``: whether points that are
    spent already become a debt; otherwise what is not there is let go. ``lots``: all that hold the original's
    points, or as many points; ``spends``: what it took.
    """
    if original.type in ("expire", "reverse") or (original.type == "redeem" and original.redemption_id is None):
        raise NotReversible(_FOR_GOOD[original.type])
    if original.bought is not None:
        return _refund(original, original.bought, amount, points_balance=points_balance, may_owe=may_owe, lots=lots)
    if amount is not None:
        raise OnlyWhole
    if original.is_reversed:
        raise AlreadyReversed
    if original.points_delta < 0:
        return restore(-original.points_delta, points_balance=points_balance, spends=spends)
    points = _owed(original.points_delta, points_balance, may_owe=may_owe)
    return loss("reverse", points, points_balance=points_balance, lots=lots, first=original.transaction_id)


def points_lost(bought: Bought, *, amount_left: Decimal, amount: Decimal) -> int:
    """What refunding ``amount`` of the ``amount_left`` takes back: what the rest would not have earned.

    So that parts take exactly what the whole would: of 24.50 at 1 point per 10.00, 5.00 takes 1 and 10.00 more
    another. Never negative.
    """
    return points_for(bought.rule, amount=amount_left) - points_for(bought.rule, amount=amount_left - amount)


def _refund(
    original: Original,
    bought: Bought,
    amount: Decimal | None,
    *,
    points_balance: int,
    may_owe: bool,
    lots: Iterable[Lot],
) -> Entry:
    if original.is_reversed:
        raise AlreadyReversed
    amount_left = bought.amount - original.amount_refunded
    amount = amount_left if amount is None else amount
    if has_too_many_decimals(amount, bought.currency):
        raise TooManyDecimals(currency=bought.currency)
    if amount > amount_left:
        raise RefundExceedsPurchase(amount_left=amount_left, currency=bought.currency)
    due = points_lost(bought, amount_left=amount_left, amount=amount)
    return loss(
        "reverse",
        _owed(due, points_balance, may_owe=may_owe),
        points_balance=points_balance,
        lots=lots,
        first=original.transaction_id,
        amount=amount,
        currency=bought.currency,
    )


def _owed(points: int, points_balance: int, *, may_owe: bool) -> int:
    return points if may_owe else min(points, max(0, points_balance))
