"""What an imported customer begins a membership with. Pure."""

from __future__ import annotations

from datetime import date, datetime

from loyalty_programs.domain.dates import local_date, start_of_day
from loyalty_programs.domain.enrolling import check_not_suspended
from loyalty_programs.domain.errors import MemberSinceOutOfRange
from loyalty_programs.domain.ledger import Entry, Member, gain
from loyalty_programs.domain.terms import CardTerms, check_valid

_EARLIEST = date(1900, 1, 1)


def open_balance(card: CardTerms, member: Member | None, points: int, *, at: datetime) -> Entry | None:
    """The row of ``points`` ≥ 0, on top of what a member has; none for 0 points.

    No bonus for who becomes a member by it: what he brings along is what he was welcomed with elsewhere.
    """
    check_valid(card, at)
    if member is not None:
        check_not_suspended(member)
    if not points:
        return None
    balance = 0 if member is None else member.points_balance
    return gain("adjust", points, points_balance=balance, expires_on=card.points_expire_on(at))


def joined_at(member_since: date | None, *, time_zone: str, at: datetime) -> datetime:
    """When the enrollment began: with a local day of the card, or now; ``MemberSinceOutOfRange``."""
    if member_since is None:
        return at
    if not _EARLIEST <= member_since <= local_date(at, time_zone):
        raise MemberSinceOutOfRange
    return start_of_day(member_since, time_zone)
