"""Merchants say what points can be spent on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any

from sqlalchemy import and_, bindparam, literal, select
from sqlalchemy.types import BigInteger

from loyalty_common.database import Transaction
from loyalty_common.errors import NotFound
from loyalty_common.idempotency import Reply, idempotency_row, replay_columns, same_key, stored_reply
from loyalty_common.record import Record
from loyalty_programs.domain import shapes
from loyalty_programs.domain.acts import Act
from loyalty_programs.domain.errors import EmptyWindow, QuantityBelowClaims
from loyalty_programs.domain.replies import answer_only
from loyalty_programs.models import idempotency, loyalty_cards, loyalty_reward_ids, loyalty_rewards


@dataclass(frozen=True, slots=True)
class RewardSettings:
    """A ``quantity`` of None is unlimited; a window without an end has None there."""

    title: str
    description: str | None
    points_cost: int
    quantity: int | None
    max_claims_per_customer: int | None
    valid_from: date | None
    valid_until: date | None
    is_active: bool


_TENANT = bindparam("tenant_id", type_=BigInteger)
_SETTINGS = tuple(field.name for field in fields(RewardSettings))
_START = select(literal(1).label("one")).subquery("start")
_IS_CARD = and_(loyalty_cards.c.tenant_id == _TENANT, loyalty_cards.c.id == bindparam("card_id", type_=BigInteger))
IS_REWARD = and_(
    loyalty_rewards.c.tenant_id == _TENANT,
    loyalty_rewards.c.loyalty_card_id == bindparam("card_id", type_=BigInteger),
    loyalty_rewards.c.id == bindparam("reward_id", type_=BigInteger),
)

_LOAD_NEW = select(
    *replay_columns(idempotency), loyalty_cards.c.id.label("card_id"), loyalty_reward_ids.next_value().label("id")
).select_from(_START.outerjoin(idempotency, same_key(idempotency)).outerjoin(loyalty_cards, _IS_CARD))
_RECORD_NEW = Record(inserts=(loyalty_rewards, idempotency))

# Claims queue here too: the quantity is judged against what is claimed, and none gets in between.
_LOCK = select(loyalty_rewards.c.id).where(IS_REWARD).with_for_update()
_LOAD = select(*replay_columns(idempotency), *loyalty_rewards.c).select_from(
    _START.outerjoin(idempotency, same_key(idempotency)).outerjoin(loyalty_rewards, IS_REWARD)
)
_RECORD = Record(guard=(loyalty_rewards, (*_SETTINGS, "updated_at")), inserts=(idempotency,))


def create(tx: Transaction, *, card_id: int, settings: RewardSettings, act: Act) -> Reply:
    loaded = tx.execute(_LOAD_NEW, {"card_id": card_id, **act.parameters}).one()
    if loaded.card_id is None:
        raise NotFound
    reply = stored_reply(loaded, act.request)
    if reply is not None:
        return reply
    check(settings, claimed_count=0)
    reward = {
        **asdict(settings),
        "id": loaded.id,
        "loyalty_card_id": card_id,
        "claimed_count": 0,
        "created_at": act.at,
        "updated_at": act.at,
    }
    reply = Reply(201, shapes.loyalty_reward(reward))
    _RECORD_NEW.write(tx, {loyalty_rewards: [reward], idempotency: [idempotency_row(act.request, reply, at=act.at)]})
    return reply


def update(tx: Transaction, *, card_id: int, reward_id: int, changes: Mapping[str, Any], act: Act) -> Reply:
    """The reward with ``changes`` to some of ``RewardSettings``, judged as a whole; untouched if nothing is new.

    Claims keep the title and the cost that they were made at.
    """
    named = {"card_id": card_id, "reward_id": reward_id}
    tx.execute(_LOCK, named)
    loaded = tx.execute(_LOAD, {**named, **act.parameters}).one()
    if loaded.id is None:
        raise NotFound
    reply = stored_reply(loaded, act.request)
    if reply is not None:
        return reply
    stored = {name: loaded._mapping[name] for name in _SETTINGS}
    settings = {**stored, **changes}
    check(RewardSettings(**settings), claimed_count=loaded.claimed_count)
    if settings == stored:
        return answer_only(tx, Reply(200, shapes.loyalty_reward(loaded._asdict())), act)
    changed = {**settings, "updated_at": act.at}
    reply = Reply(200, shapes.loyalty_reward(loaded._asdict() | changed))
    _RECORD.write(
        tx,
        {idempotency: [idempotency_row(act.request, reply, at=act.at)]},
        guard=[{"id": reward_id, "version": loaded.version, **changed}],
    )
    return reply


def check(settings: RewardSettings, *, claimed_count: int) -> None:
    """Pure: ``EmptyWindow``, or ``QuantityBelowClaims`` where fewer are left than are claimed."""
    if settings.valid_from and settings.valid_until and settings.valid_until < settings.valid_from:
        raise EmptyWindow("valid_until", first="valid from date")
    if settings.quantity is not None and settings.quantity < claimed_count:
        raise QuantityBelowClaims(claimed_count=claimed_count)
