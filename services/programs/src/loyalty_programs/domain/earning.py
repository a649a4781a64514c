"""What a purchase or an adjustment does to a balance. Pure: the facts and the time come in as arguments."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from loyalty_programs.domain.enrolling import bonus, check_may_transact
from loyalty_programs.domain.errors import CurrencyMismatch, EarnRuleMissing
from loyalty_programs.domain.ledger import Entry, Member, gain, spend
from loyalty_programs.domain.lots import Lot
from loyalty_programs.domain.terms import CardTerms, EarnRule, check_valid


@dataclass(frozen=True, slots=True)
class Purchase:
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Adjustment:
    """``points`` are never 0; negative ones are taken away."""

    points: int


@dataclass(frozen=True, slots=True)
class Posting:
    """The rows to be written, in their order; the last one is what was asked for.

    With ``enrolls`` the customer becomes a member by it, and the rows before the last are the bonus.
    """

    enrolls: bool
    entries: tuple[Entry, ...]


def post(
    card: CardTerms,
    member: Member | None,
    command: Purchase | Adjustment,
    *,
    occurred_at: datetime,
    lots: Iterable[Lot] = (),
) -> Posting:
    """Decide a purchase or an adjustment; refusals are ``CardRefusal``, ``EnrollmentRefusal`` and those below.

    ``lots``: enough of the member's to cover a negative adjustment.
    """
    check_valid(card, occurred_at)
    adds = isinstance(command, Purchase) or command.points > 0
    check_may_transact(card, member, may_enroll=adds)
    welcome = bonus(card, at=occurred_at) if member is None else ()
    balance = member.points_balance if member is not None else sum(entry.points_delta for entry in welcome)
    if isinstance(command, Purchase):
        entry = earn(card, command, points_balance=balance, occurred_at=occurred_at)
    else:
        entry = adjust(card, command.points, points_balance=balance, occurred_at=occurred_at, lots=lots)
    return Posting(enrolls=member is None, entries=(*welcome, entry))


def points_for(rule: EarnRule, *, amount: Decimal) -> int:
    """Points that a purchase earns: whole steps of ``rule.spend`` only, so 24.50 at 1 point per 10.00 is 2.

    ``amount`` is in the rule's currency, at most its minor digits. Never negative.
    """
    return int(amount // rule.spend) * rule.points


def check_earns(card: CardTerms, purchase: Purchase) -> EarnRule:
    """The rule by which the purchase earns, be it 0 points; ``EarnRuleMissing`` or ``CurrencyMismatch``."""
    rule = card.earn_rule
    if rule is None:
        raise EarnRuleMissing
    if purchase.currency != rule.currency:
        raise CurrencyMismatch(earn_currency=rule.currency)
    return rule


def earn(card: CardTerms, purchase: Purchase, *, points_balance: int, occurred_at: datetime) -> Entry:
    """The row of a purchase; ``EarnRefusal``, or ``BalanceOutOfRange``."""
    rule = check_earns(card, purchase)
    return gain(
        "earn",
        points_for(rule, amount=purchase.amount),
        points_balance=points_balance,
        expires_on=card.points_expire_on(occurred_at),
        amount=purchase.amount,
        currency=purchase.currency,
        rule=rule,
        field="amount",
    )


def adjust(card: CardTerms, points: int, *, points_balance: int, occurred_at: datetime, lots: Iterable[Lot]) -> Entry:
    """The row of an adjustment; ``InsufficientPoints``, or ``BalanceOutOfRange``."""
    if points > 0:
        expires_on = card.points_expire_on(occurred_at)
        return gain("adjust", points, points_balance=points_balance, expires_on=expires_on)
    return spend("adjust", -points, points_balance=points_balance, lots=lots)
