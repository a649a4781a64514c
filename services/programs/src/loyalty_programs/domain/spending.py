"""Spending points at a till. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from loyalty_programs.domain.enrolling import active_member
from loyalty_programs.domain.ledger import Entry, Member, spend
from loyalty_programs.domain.lots import Lot
from loyalty_programs.domain.terms import CardTerms, check_valid


def redeem(card: CardTerms, member: Member | None, points: int, *, occurred_at: datetime, lots: Iterable[Lot]) -> Entry:
    """Spend ``points`` > 0; refusals are ``CardRefusal``, ``EnrollmentRefusal`` and ``InsufficientPoints``.

    ``lots``: enough of those that may be spent to cover ``points``, or all of them.
    """
    check_valid(card, occurred_at)
    return spend("redeem", points, points_balance=active_member(member).points_balance, lots=lots)
