"""Who becomes a member, and with what. Pure."""

from __future__ import annotations

from datetime import datetime

from loyalty_programs.domain.errors import CustomerNotEnrolled, EnrollmentSuspended
from loyalty_programs.domain.ledger import Entry, Member, gain
from loyalty_programs.domain.terms import CardTerms, check_valid

ACTIVE = "active"


def enroll(card: CardTerms, member: Member | None, *, at: datetime) -> tuple[Entry, ...] | None:
    """The bonus rows of a new member; ``None`` for one who is enrolled already and gets nothing again."""
    check_valid(card, at)
    if member is not None:
        check_not_suspended(member)
        return None
    return bonus(card, at=at)


def bonus(card: CardTerms, *, at: datetime) -> tuple[Entry, ...]:
    if not card.initial_bonus_points:
        return ()
    expires_on = card.points_expire_on(at)
    return (gain("bonus", card.initial_bonus_points, points_balance=0, expires_on=expires_on),)


def check_not_suspended(member: Member) -> None:
    if member.status != ACTIVE:
        raise EnrollmentSuspended


def check_may_transact(card: CardTerms, member: Member | None, *, may_enroll: bool) -> None:
    """``may_enroll``: whether this would be a reason to enroll the customer, where the card does so by itself."""
    if member is not None:
        check_not_suspended(member)
    elif not (card.auto_enroll and may_enroll):
        raise CustomerNotEnrolled


def active_member(member: Member | None) -> Member:
    """For what is no reason to enroll anybody; ``CustomerNotEnrolled`` or ``EnrollmentSuspended``."""
    if member is None:
        raise CustomerNotEnrolled
    check_not_suspended(member)
    return member
