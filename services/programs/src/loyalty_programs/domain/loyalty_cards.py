"""Merchants create loyalty cards and change their settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from sqlalchemy import and_, bindparam, func, literal, select
from sqlalchemy.types import BigInteger, Text

from loyalty_common.database import Transaction
from loyalty_common.errors import NotFound
from loyalty_common.idempotency import Reply, idempotency_row, replay_columns, same_key, stored_reply
from loyalty_common.record import Record
from loyalty_programs.domain import card_settings, places, shapes
from loyalty_programs.domain.acts import Act
from loyalty_programs.domain.card_settings import CardSettings
from loyalty_programs.domain.dates import local_date
from loyalty_programs.domain.errors import CardIdentifierTaken
from loyalty_programs.domain.replies import answer_only
from loyalty_programs.models import idempotency, loyalty_card_ids, loyalty_cards

_SETTINGS = tuple(field.name for field in fields(CardSettings))
_CODES = 10**12
_START = select(literal(1).label("one")).subquery("start")
_HOLDER = loyalty_cards.alias("holder")
_HOLDS_IDENTIFIER = and_(
    _HOLDER.c.tenant_id == bindparam("tenant_id"),
    func.lower(_HOLDER.c.card_identifier) == func.lower(bindparam("card_identifier", type_=Text)),
)
_IS_CARD = and_(
    loyalty_cards.c.tenant_id == bindparam("tenant_id"),
    loyalty_cards.c.id == bindparam("card_id", type_=BigInteger),
)

_LOAD_NEW = select(
    *replay_columns(idempotency),
    places.SALE.c.time_zone,
    _HOLDER.c.id.label("holder_id"),
    loyalty_card_ids.next_value().label("id"),
).select_from(
    _START.outerjoin(idempotency, same_key(idempotency))
    .outerjoin(places.SALE, places.IS_NAMED)
    .outerjoin(_HOLDER, _HOLDS_IDENTIFIER)
)
_RECORD_NEW = Record(inserts=(loyalty_cards, idempotency))

# Two changes at once queue here; enrollments, which only refer to the card, do not.
_LOCK = select(loyalty_cards.c.id).where(_IS_CARD).with_for_update(key_share=True)
_LOAD = select(
    *replay_columns(idempotency),
    *places.COLUMNS,
    places.SALE.c.time_zone.label("sale_time_zone"),
    loyalty_cards.c.partner_location_id.label("home_location_id"),
    _HOLDER.c.id.label("holder_id"),
    *loyalty_cards.c,
).select_from(
    _START.outerjoin(idempotency, same_key(idempotency))
    .outerjoin(loyalty_cards, _IS_CARD)
    .outerjoin(places.HOME, places.is_home_of(loyalty_cards))
    .outerjoin(places.SALE, places.IS_NAMED)
    .outerjoin(_HOLDER, _HOLDS_IDENTIFIER)
)
_RECORD = Record(guard=(loyalty_cards, (*_SETTINGS, "updated_at")), inserts=(idempotency,))


def create(tx: Transaction, *, settings: CardSettings, act: Act) -> Reply:
    named = {"partner_location_id": settings.partner_location_id, "card_identifier": settings.card_identifier}
    loaded = tx.execute(_LOAD_NEW, {**named, **act.parameters}).one()
    reply = stored_reply(loaded, act.request)
    if reply is not None:
        return reply
    if loaded.time_zone is None:
        raise places.missing(settings.partner_location_id)
    if loaded.holder_id is not None:
        raise CardIdentifierTaken
    today = local_date(act.at, loaded.time_zone)
    card = {
        **card_settings.columns(settings, today=today, code=act.choose(_CODES)),
        "id": loaded.id,
        "organization_id": act.organization_id,
        "created_at": act.at,
        "updated_at": act.at,
    }
    reply = Reply(201, shapes.loyalty_card(card))
    _RECORD_NEW.write(tx, {loyalty_cards: [card], idempotency: [idempotency_row(act.request, reply, at=act.at)]})
    return reply


def update(tx: Transaction, *, card_id: int, changes: Mapping[str, Any], act: Act) -> Reply:
    """The card with ``changes`` to some of ``CardSettings``, judged as a whole; untouched if nothing is new."""
    tx.execute(_LOCK, {"card_id": card_id})
    named = {name: changes.get(name) for name in ("partner_location_id", "card_identifier")}
    loaded = tx.execute(_LOAD, {"card_id": card_id, **named, **act.parameters}).one()
    if loaded.id is None:
        raise NotFound
    reply = stored_reply(loaded, act.request)
    if reply is not None:
        return reply
    places.check_known(loaded, partner_location_id=named["partner_location_id"])
    if loaded.holder_id not in (None, card_id):
        raise CardIdentifierTaken
    stored = {name: loaded._mapping[name] for name in _SETTINGS}
    today = local_date(act.at, loaded.sale_time_zone or loaded.home_time_zone)
    settings = card_settings.columns(CardSettings(**{**stored, **changes}), today=today, code=act.choose(_CODES))
    if settings == stored:
        return answer_only(tx, Reply(200, shapes.loyalty_card(loaded._asdict())), act)
    changed = {**settings, "updated_at": act.at}
    reply = Reply(200, shapes.loyalty_card(loaded._asdict() | changed))
    _RECORD.write(
        tx,
        {idempotency: [idempotency_row(act.request, reply, at=act.at)]},
        guard=[{"id": card_id, "version": loaded.version, **changed}],
    )
    return reply
