"""Merchants lay down what is paid for bringing a friend, and change it for the friends to come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import and_, bindparam, func, literal, select
from sqlalchemy.types import BigInteger, Integer

from loyalty_common.database import Transaction
from loyalty_common.errors import NotFound
from loyalty_common.idempotency import Reply, idempotency_row, replay_columns, same_key, stored_reply
from loyalty_common.record import Record
from loyalty_programs.domain import milestones, shapes
from loyalty_programs.domain.acts import Act
from loyalty_programs.domain.errors import EmptyWindow, UnknownLoyaltyCard
from loyalty_programs.domain.replies import answer_only
from loyalty_programs.models import (
    idempotency,
    loyalty_cards,
    referral_milestone_ids,
    referral_program_ids,
    referral_programs,
)

_SETTINGS = ("name", "referrer_points", "referred_points", "valid_from", "valid_until", "is_active", "milestones")
_START = select(literal(1).label("one")).subquery("start")
_LOAD_NEW = select(
    *replay_columns(idempotency),
    loyalty_cards.c.earn_currency,
    referral_program_ids.next_value().label("id"),
).select_from(
    _START.outerjoin(idempotency, same_key(idempotency)).outerjoin(
        loyalty_cards,
        and_(
            loyalty_cards.c.tenant_id == bindparam("tenant_id"),
            loyalty_cards.c.id == bindparam("card_id", type_=BigInteger),
        ),
    )
)
_RECORD_NEW = Record(inserts=(referral_programs, idempotency))

_IS_PROGRAM = and_(
    referral_programs.c.tenant_id == bindparam("tenant_id"),
    referral_programs.c.id == bindparam("referral_program_id", type_=BigInteger),
)
# Two changes at once queue here; codes, which only refer to the program, do not.
_LOCK = select(referral_programs.c.id).where(_IS_PROGRAM).with_for_update(key_share=True)
_LOAD = select(*replay_columns(idempotency), *referral_programs.c).select_from(
    _START.outerjoin(idempotency, same_key(idempotency)).outerjoin(referral_programs, _IS_PROGRAM)
)
_RECORD = Record(guard=(referral_programs, (*_SETTINGS, "updated_at")), inserts=(idempotency,))
_DRAW = select(referral_milestone_ids.next_value()).select_from(
    func.generate_series(1, bindparam("count", type_=Integer)).table_valued("number")
)


@dataclass(frozen=True, slots=True)
class ReferralProgramSettings:
    """What a merchant says of a program; ``milestones`` as they were sent, each of its fields being there."""

    name: str
    referrer_points: int
    referred_points: int
    valid_from: date | None
    valid_until: date | None
    is_active: bool
    milestones: Sequence[Mapping[str, Any]]


def create(tx: Transaction, *, card_id: int, settings: ReferralProgramSettings, act: Act) -> Reply:
    """Milestones get ids of their own, whatever they were sent with."""
    loaded = tx.execute(_LOAD_NEW, {"card_id": card_id, **act.parameters}).one()
    reply = stored_reply(loaded, act.request)
    if reply is not None:
        return reply
    if loaded.earn_currency is None:
        raise UnknownLoyaltyCard
    _check_window(settings.valid_from, settings.valid_until)
    sent = [{**milestone, "id": None} for milestone in settings.milestones]
    program = {
        **asdict(settings),
        "id": loaded.id,
        "loyalty_card_id": card_id,
        "currency": loaded.earn_currency,
        "milestones": _laid_down(tx, sent, (), currency=loaded.earn_currency),
        "created_at": act.at,
        "updated_at": act.at,
    }
    reply = Reply(201, shapes.referral_program(program))
    _RECORD_NEW.write(tx, {referral_programs: [program], idempotency: [idempotency_row(act.request, reply, at=act.at)]})
    return reply


def update(tx: Transaction, *, referral_program_id: int, changes: Mapping[str, Any], act: Act) -> Reply:
    """The program with ``changes`` to some of its settings, judged as a whole; untouched if nothing is new.

    Referrals made before keep what they were promised: milestones, progress and points.
    """
    tx.execute(_LOCK, {"referral_program_id": referral_program_id})
    loaded = tx.execute(_LOAD, {"referral_program_id": referral_program_id, **act.parameters}).one()
    if loaded.id is None:
        raise NotFound
    reply = stored_reply(loaded, act.request)
    if reply is not None:
        return reply
    before = {name: loaded._mapping[name] for name in _SETTINGS}
    after = {**before, **changes}
    _check_window(after["valid_from"], after["valid_until"])
    if "milestones" in changes:
        after["milestones"] = _laid_down(tx, changes["milestones"], loaded.milestones, currency=loaded.currency)
    if after == before:
        return answer_only(tx, Reply(200, shapes.referral_program(loaded._asdict())), act)
    changed = {**after, "updated_at": act.at}
    reply = Reply(200, shapes.referral_program(loaded._asdict() | changed))
    _RECORD.write(
        tx,
        {idempotency: [idempotency_row(act.request, reply, at=act.at)]},
        guard=[{"id": referral_program_id, "version": loaded.version, **changed}],
    )
    return reply


def _check_window(first: date | None, last: date | None) -> None:
    if first and last and last < first:
        raise EmptyWindow("valid_until", first="valid from date")


def _laid_down(
    tx: Transaction, sent: Sequence[Mapping[str, Any]], kept: Sequence[dict[str, Any]], *, currency: str
) -> list[dict[str, Any]]:
    ids = tx.execute(_DRAW, {"count": len(sent)}).scalars().all()
    return milestones.laid_down(sent, kept, currency=currency, ids=ids)
