"""Merchants create stamp cards and change their settings."""

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
from loyalty_programs.domain import places, shapes
from loyalty_programs.domain.acts import Act
from loyalty_programs.domain.errors import EmptyWindow
from loyalty_programs.domain.replies import answer_only
from loyalty_programs.models import idempotency, stamp_card_ids, stamp_cards


@dataclass(frozen=True, slots=True)
class StampCardSettings:
    """What a merchant says of a stamp card; a window without an end has ``None`` there."""

    name: str
    partner_location_id: int
    is_active: bool
    stamps_required_for_reward: int
    stamps_per_purchase: int
    valid_from: date | None
    valid_until: date | None
    reward_title: str


_SETTINGS = tuple(field.name for field in fields(StampCardSettings))
_START = select(literal(1).label("one")).subquery("start")
_IS_CARD = and_(
    stamp_cards.c.tenant_id == bindparam("tenant_id"),
    stamp_cards.c.id == bindparam("stamp_card_id", type_=BigInteger),
)
_LOAD_NEW = select(
    *replay_columns(idempotency), places.SALE.c.time_zone, stamp_card_ids.next_value().label("id")
).select_from(_START.outerjoin(idempotency, same_key(idempotency)).outerjoin(places.SALE, places.IS_NAMED))
_RECORD_NEW = Record(inserts=(stamp_cards, idempotency))

# Two changes at once queue here; memberships, which only refer to the card, do not.
_LOCK = select(stamp_cards.c.id).where(_IS_CARD).with_for_update(key_share=True)
_LOAD = select(
    *replay_columns(idempotency), places.SALE.c.partner_location_id.label("sale_location_id"), *stamp_cards.c
).select_from(
    _START.outerjoin(idempotency, same_key(idempotency))
    .outerjoin(stamp_cards, _IS_CARD)
    .outerjoin(places.SALE, places.IS_NAMED)
)
_RECORD = Record(guard=(stamp_cards, (*_SETTINGS, "updated_at")), inserts=(idempotency,))


def create(tx: Transaction, *, settings: StampCardSettings, act: Act) -> Reply:
    named = {"partner_location_id": settings.partner_location_id}
    loaded = tx.execute(_LOAD_NEW, {**named, **act.parameters}).one()
    reply = stored_reply(loaded, act.request)
    if reply is not None:
        return reply
    if loaded.time_zone is None:
        raise places.missing(settings.partner_location_id)
    _check(settings)
    columns = {
        **asdict(settings),
        "id": loaded.id,
        "organization_id": act.organization_id,
        "created_at": act.at,
        "updated_at": act.at,
    }
    reply = Reply(201, shapes.stamp_card(columns))
    _RECORD_NEW.write(tx, {stamp_cards: [columns], idempotency: [idempotency_row(act.request, reply, at=act.at)]})
    return reply


def update(tx: Transaction, *, stamp_card_id: int, changes: Mapping[str, Any], act: Act) -> Reply:
    """The card with ``changes`` to some of its settings, judged as a whole; untouched if nothing is new.

    Balances and rewards stay as they are: a balance that now is a full card unlocks its reward with the next stamp.
    """
    tx.execute(_LOCK, {"stamp_card_id": stamp_card_id})
    partner_location_id = changes.get("partner_location_id")
    named = {"stamp_card_id": stamp_card_id, "partner_location_id": partner_location_id}
    loaded = tx.execute(_LOAD, {**named, **act.parameters}).one()
    if loaded.id is None:
        raise NotFound
    reply = stored_reply(loaded, act.request)
    if reply is not None:
        return reply
    if partner_location_id is not None and loaded.sale_location_id is None:
        raise places.missing(partner_location_id)
    stored = {name: loaded._mapping[name] for name in _SETTINGS}
    settings = StampCardSettings(**{**stored, **changes})
    _check(settings)
    if asdict(settings) == stored:
        return answer_only(tx, Reply(200, shapes.stamp_card(loaded._asdict())), act)
    changed = {**asdict(settings), "updated_at": act.at}
    reply = Reply(200, shapes.stamp_card(loaded._asdict() | changed))
    _RECORD.write(
        tx,
        {idempotency: [idempotency_row(act.request, reply, at=act.at)]},
        guard=[{"id": stamp_card_id, "version": loaded.version, **changed}],
    )
    return reply


def _check(settings: StampCardSettings) -> None:
    if settings.valid_from and settings.valid_until and settings.valid_until < settings.valid_from:
        raise EmptyWindow("valid_until", first="valid from date")
