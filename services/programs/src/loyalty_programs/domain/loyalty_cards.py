"""Merchants create loyalty cards."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, bindparam, func, literal, select
from sqlalchemy.types import Text

from loyalty_common.database import Transaction
from loyalty_common.idempotency import Reply, idempotency_row, replay_columns, same_key, stored_reply
from loyalty_common.record import Record
from loyalty_programs.domain import places, shapes
from loyalty_programs.domain.acts import Act
from loyalty_programs.domain.dates import local_date
from loyalty_programs.domain.errors import CardIdentifierTaken, EmptyWindow
from loyalty_programs.models import idempotency, loyalty_card_ids, loyalty_cards

_START = select(literal(1).label("one")).subquery("start")
_LOAD = select(
    *replay_columns(idempotency),
    places.SALE.c.time_zone,
    loyalty_cards.c.id.label("holder_id"),
    loyalty_card_ids.next_value().label("id"),
).select_from(
    _START.outerjoin(idempotency, same_key(idempotency))
    .outerjoin(places.SALE, places.IS_NAMED)
    .outerjoin(
        loyalty_cards,
        and_(
            loyalty_cards.c.tenant_id == bindparam("tenant_id"),
            func.lower(loyalty_cards.c.card_identifier) == func.lower(bindparam("card_identifier", type_=Text)),
        ),
    )
)
_RECORD = Record(inserts=(loyalty_cards, idempotency))


@dataclass(frozen=True, slots=True)
class CardSettings:
    """What a merchant says of a card; ``None`` for the date of issue is today, for the identifier one of ours."""

    name: str
    partner_location_id: int
    card_identifier: str | None
    is_active: bool
    earn_spend_amount: Decimal | None
    earn_points: int | None
    earn_currency: str
    initial_bonus_points: int
    date_issued: date | None
    expiry_date: date | None
    auto_enroll: bool
    points_expire_after_months: int | None
    refund_floor: str


def create(tx: Transaction, *, settings: CardSettings, act: Act) -> Reply:
    named = {"partner_location_id": settings.partner_location_id, "card_identifier": settings.card_identifier}
    loaded = tx.execute(_LOAD, {**named, **act.parameters}).one()
    reply = stored_reply(loaded, act.request)
    if reply is not None:
        return reply
    if loaded.time_zone is None:
        raise places.missing(settings.partner_location_id)
    if loaded.holder_id is not None:
        raise CardIdentifierTaken
    columns = _columns(settings, card_id=loaded.id, today=local_date(act.at, loaded.time_zone), act=act)
    reply = Reply(201, shapes.loyalty_card(columns))
    _RECORD.write(tx, {loyalty_cards: [columns], idempotency: [idempotency_row(act.request, reply, at=act.at)]})
    return reply


def _columns(settings: CardSettings, *, card_id: int, today: date, act: Act) -> dict[str, Any]:
    date_issued = settings.date_issued or today
    if settings.expiry_date is not None and settings.expiry_date < date_issued:
        raise EmptyWindow("expiry_date", first="date of issue")
    return {
        **asdict(settings),
        "id": card_id,
        "organization_id": act.organization_id,
        "card_identifier": settings.card_identifier or wallet_code(act.choose(10**12)),
        "date_issued": date_issued,
        "created_at": act.at,
        "updated_at": act.at,
    }


def wallet_code(chosen: int) -> str:
    """``42118307591`` → ``042-118-307-591``; one that is taken violates the unique index and another is drawn."""
    digits = f"{chosen:012d}"
    return "-".join(digits[place : place + 3] for place in range(0, 12, 3))
