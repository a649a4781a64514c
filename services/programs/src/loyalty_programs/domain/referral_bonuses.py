"""What a referral's milestones bring about when they are completed: bonus rows for the two, and who is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.types import Integer

from loyalty_common.database import Transaction
from loyalty_programs.domain import milestones, referral_facts, referring, shapes
from loyalty_programs.domain.acts import Act
from loyalty_programs.domain.bookkeeping import NO_OCCASION, Occasion, record_with
from loyalty_programs.domain.earning import Purchase
from loyalty_programs.domain.facts import Facts
from loyalty_programs.domain.ledger_rows import Columns, balance_event, balance_row, ledger_row
from loyalty_programs.domain.referral_facts import ReferralFacts
from loyalty_programs.domain.referring import Bonus, Step
from loyalty_programs.events import Event, ReferralCompleted
from loyalty_programs.models import enrollments, points_transaction_ids, referrals

_CHANGES = {referrals: ("status", "awaits_friend", "milestones", "completed_at")}
_RECORD = record_with(lots=False, changes=_CHANGES)
# Apart, for a friend is enrolled once, and only without this is the other one short enough to be remembered by psycopg.
_RECORD_ENROLLMENT = record_with(lots=False, changes=_CHANGES, inserts=(enrollments,))
# How many rows there are is only known after deciding. Drawn under both locks, so that ids order both ledgers.
_DRAW = select(points_transaction_ids.next_value()).select_from(
    func.generate_series(1, bindparam("count", type_=Integer)).table_valued("number")
)


@dataclass(frozen=True, slots=True)
class Friend:
    """The one who was referred: the enrollment's columns, and the balance before any bonus."""

    facts: Facts
    enrollment: Mapping[str, Any]
    points_balance: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """``occasion``: for the statement that records what completed the milestones; ``completed``: an event for each."""

    occasion: Occasion
    completed: tuple[ReferralCompleted, ...] = ()


def of_friend(
    tx: Transaction, friend: Friend, purchase: Purchase | None, *, occurred_at: datetime, act: Act
) -> Occasion:
    """What it brings about that the friend is a member and, with ``purchase``, buys. Nothing for most customers."""
    facts = friend.facts
    if facts.locked.referral_id is None:
        return NO_OCCASION
    referral = referral_facts.load(tx, facts.locked.referral_id, facts.locked)
    if not referral.program_is_active:
        return NO_OCCASION
    step = referring.advance(referral.course, purchase, at=act.at)
    if step.course == referral.course:
        return NO_OCCASION
    return settle(tx, friend, referral, step, occurred_at=occurred_at, act=act).occasion


def settle(
    tx: Transaction, friend: Friend, referral: ReferralFacts, step: Step, *, occurred_at: datetime, act: Act
) -> Settlement:
    """What ``step`` writes and tells; ids are drawn here."""
    bonuses = referring.bonuses(
        step.completed,
        referrer_balance=referral.payable_balance,
        friend_balance=friend.points_balance,
        expires_on=friend.facts.card.points_expire_on(occurred_at),
    )
    rows = _rows(tx, bonuses, friend, referral, occurred_at=occurred_at, act=act)
    changed = _changed(referral, step, act)
    completed = _completed(referral, friend, step, changed, bonuses, rows, act)
    events: Sequence[Event] = (*_earned(bonuses, rows, friend, referral, act), *completed)
    referrers = [row for bonus, row in zip(bonuses, rows, strict=True) if bonus.is_referrers]
    occasion = Occasion(
        record=_RECORD if friend.facts.enrollment else _RECORD_ENROLLMENT,
        rows=rows,
        guard=[balance_row(referrers[-1], version=referral.version)] if referrers else (),
        changes={referrals: [changed]},
        events=lambda _: events,
    )
    return Settlement(occasion, completed)


def _rows(
    tx: Transaction,
    bonuses: Sequence[Bonus],
    friend: Friend,
    referral: ReferralFacts,
    *,
    occurred_at: datetime,
    act: Act,
) -> list[Columns]:
    ids = tx.execute(_DRAW, {"count": len(bonuses)}).scalars().all() if bonuses else ()
    return [
        ledger_row(
            bonus.entry,
            row_id=row_id,
            enrollment=referral.enrollment if bonus.is_referrers else friend.enrollment,
            occurred_at=occurred_at,
            source=act.source,
            at=act.at,
        )
        | {"referral_id": referral.columns["id"]}
        for bonus, row_id in zip(bonuses, ids, strict=True)
    ]


def _earned(
    bonuses: Sequence[Bonus], rows: Sequence[Columns], friend: Friend, referral: ReferralFacts, act: Act
) -> list[Event]:
    return [
        balance_event(
            shapes.transaction(row),
            referral if bonus.is_referrers else friend.facts,
            source=act.source,
            at=act.at,
        )
        for bonus, row in zip(bonuses, rows, strict=True)
    ]


def _changed(referral: ReferralFacts, step: Step, act: Act) -> Columns:
    status = step.course.status
    return {
        "id": referral.columns["id"],
        "status": status,
        "awaits_friend": step.course.awaits_friend,
        "milestones": milestones.stored(step.course),
        "completed_at": act.at if status == "completed" else None,
    }


def _completed(
    referral: ReferralFacts,
    friend: Friend,
    step: Step,
    changed: Columns,
    bonuses: Sequence[Bonus],
    rows: Sequence[Columns],
    act: Act,
) -> tuple[ReferralCompleted, ...]:
    """One for each milestone; the referral in it is as all of them leave it."""
    shown = shapes.referral({**referral.columns, **changed})
    milestones_shown = {milestone["milestone_id"]: milestone for milestone in shown["milestones"]}
    return tuple(
        ReferralCompleted(
            referral=shown,
            milestone=milestones_shown[milestone.id],
            reward_transactions=[
                shapes.transaction(row)
                for bonus, row in zip(bonuses, rows, strict=True)
                if bonus.milestone_id == milestone.id
            ],
            referrer=referral.customer,
            referred=friend.facts.customer,
            source=act.source,
        )
        for milestone in step.completed
    )
