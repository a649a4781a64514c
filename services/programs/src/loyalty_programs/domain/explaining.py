"""Why a purchase or an adjustment would be credited or refused: each rule by itself, with its numbers. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from loyalty_common.errors import ValidationFailed
from loyalty_common.money import format_amount
from loyalty_programs.domain import terms
from loyalty_programs.domain.dates import local_date
from loyalty_programs.domain.earning import Adjustment, Purchase, adjust, check_earns, earn, points_for, post
from loyalty_programs.domain.enrolling import check_may_transact
from loyalty_programs.domain.ledger import Member
from loyalty_programs.domain.lots import Lot
from loyalty_programs.domain.terms import CardTerms


@dataclass(frozen=True, slots=True)
class Rule:
    """``refusal``: what the rule says no with; None if it was passed."""

    name: str
    message: str
    refusal: ValidationFailed | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """``points_delta`` is 0 and ``points_balance_after`` that of before where it would be refused.

    The bonus of one who would be enrolled is in ``points_balance_after``, not in ``points_delta``.
    """

    type: str
    points_delta: int
    points_balance_before: int
    points_balance_after: int
    would_enroll: bool
    rules: tuple[Rule, ...]

    def repeated(self, reference: Rule) -> Explanation:
        """The same for a reference that was used before: nothing would change, allowed or not."""
        before = self.points_balance_before
        rules = (reference,) if reference.refusal is None else (reference, *self.rules)
        return Explanation(self.type, 0, before, before, would_enroll=False, rules=rules)

    @property
    def refusal(self) -> ValidationFailed | None:
        """That of the first rule that was not passed, which is what the write itself would answer."""
        return next((rule.refusal for rule in self.rules if rule.refusal is not None), None)


def explain(
    card: CardTerms,
    member: Member | None,
    command: Purchase | Adjustment,
    *,
    member_number: str | None,
    occurred_at: datetime,
    lots: tuple[Lot, ...] = (),
) -> Explanation:
    """Every rule that ``earning.post`` goes by, in its order, told apart; ``lots`` as there."""
    adds = isinstance(command, Purchase) or command.points > 0
    before = member.points_balance if member is not None else 0
    rules = (
        _rule("card_active", lambda: terms.check_active(card), lambda: f"{card.name} is active."),
        _rule("card_window", lambda: terms.check_window(card, occurred_at), lambda: _window(card, occurred_at)),
        _rule(
            "customer_enrolled",
            lambda: check_may_transact(card, member, may_enroll=adds),
            lambda: _membership(card, member, member_number),
        ),
        *_rules_of(card, member, command, occurred_at=occurred_at, lots=lots),
    )
    kind = "earn" if isinstance(command, Purchase) else "adjust"
    if any(rule.refusal is not None for rule in rules):
        return Explanation(kind, 0, before, before, would_enroll=False, rules=rules)
    posting = post(card, member, command, occurred_at=occurred_at, lots=lots)
    last = posting.entries[-1]
    return Explanation(
        kind, last.points_delta, before, last.points_balance_after, would_enroll=posting.enrolls, rules=rules
    )


def _rules_of(
    card: CardTerms,
    member: Member | None,
    command: Purchase | Adjustment,
    *,
    occurred_at: datetime,
    lots: tuple[Lot, ...],
) -> tuple[Rule, ...]:
    balance = member.points_balance if member is not None else card.initial_bonus_points
    if isinstance(command, Adjustment):
        changed = f"The balance of {_points(balance)} becomes {balance + command.points}."
        return (
            _rule(
                "balance",
                lambda: adjust(card, command.points, points_balance=balance, occurred_at=occurred_at, lots=lots),
                lambda: changed,
            ),
        )
    return (
        _rule("currency", lambda: check_earns(card, command), lambda: f"{command.currency} is the card's currency."),
        _rule(
            "earn",
            lambda: earn(card, command, points_balance=balance, occurred_at=occurred_at),
            lambda: _steps(card, command),
        ),
    )


def _rule(name: str, check: Callable[[], object], passed: Callable[[], str]) -> Rule:
    try:
        check()
    except ValidationFailed as refusal:
        return Rule(name, _sentence(refusal), refusal)
    return Rule(name, passed())


def _sentence(refusal: ValidationFailed) -> str:
    """The rule's own; that of its field where it has no reason of its own."""
    return refusal.message if refusal.reason else next(iter(refusal.details.values()))[0]


def _window(card: CardTerms, at: datetime) -> str:
    today = local_date(at, card.time_zone)
    if card.expiry_date is None:
        return f"{today} is not before {card.date_issued} ({card.time_zone})."
    return f"{today} lies between {card.date_issued} and {card.expiry_date} ({card.time_zone})."


def _membership(card: CardTerms, member: Member | None, member_number: str | None) -> str:
    if member is not None:
        return f"Member {member_number}, {member.status}."
    return f"Becomes a member by this, with a bonus of {_points(card.initial_bonus_points)}."


def _steps(card: CardTerms, purchase: Purchase) -> str:
    rule = check_earns(card, purchase)
    steps = int(purchase.amount // rule.spend)
    amount, spend = (format_amount(value, rule.currency) for value in (purchase.amount, rule.spend))
    earned = points_for(rule, amount=purchase.amount)
    whole = f"{steps} whole step" if steps == 1 else f"{steps} whole steps"
    return f"{amount} holds {whole} of {spend}; {steps} × {_points(rule.points)} = {earned}."


def _points(count: int) -> str:
    return f"{count} point" if count == 1 else f"{count} points"
