"""Merchants create stamp cards."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date

from sqlalchemy import literal, select

from loyalty_common.database import Transaction
from loyalty_common.idempotency import Reply, idempotency_row, replay_columns, same_key, stored_reply
from loyalty_common.record import Record
from loyalty_programs.domain import places, shapes
from loyalty_programs.domain.acts import Act
from loyalty_programs.domain.errors import EmptyWindow
from loyalty_programs.models import idempotency, stamp_card_ids, stamp_cards

_START = select(literal(1).label("one")).subquery("start")
_LOAD = select(
    *replay_columns(idempotency), places.SALE.c.time_zone, stamp_card_ids.next_value().label("id")
).select_from(_START.outerjoin(idempotency, same_key(idempotency)).outerjoin(places.SALE, places.IS_NAMED))
_RECORD = Record(inserts=(stamp_cards, idempotency))


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


def create(tx: Transaction, *, settings: StampCardSettings, act: Act) -> Reply:
    named = {"partner_location_id": settings.partner_location_id}
    loaded = tx.execute(_LOAD, {**named, **act.parameters}).one()
    reply = stored_reply(loaded, act.request)
    if reply is not None:
        return reply
    if loaded.time_zone is None:
        raise places.missing(settings.partner_location_id)
    if settings.valid_from and settings.valid_until and settings.valid_until < settings.valid_from:
        raise EmptyWindow("valid_until", first="valid from date")
    columns = {
        **asdict(settings),
        "id": loaded.id,
        "organization_id": act.organization_id,
        "created_at": act.at,
        "updated_at": act.at,
    }
    reply = Reply(201, shapes.stamp_card(columns))
    _RECORD.write(tx, {stamp_cards: [columns], idempotency: [idempotency_row(act.request, reply, at=act.at)]})
    return reply
