"""Which lots are due: whose last day is over where their card is at home."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

import orjson
from sqlalchemy import (
    JSON,
    BigInteger,
    Connection,
    Date,
    Row,
    TableValuedAlias,
    Text,
    and_,
    bindparam,
    cast,
    column,
    func,
    lateral,
    select,
    tuple_,
)

from loyalty_common.database import Transaction
from loyalty_programs.domain import people
from loyalty_programs.domain.dates import local_date
from loyalty_programs.domain.lot_facts import lots_of
from loyalty_programs.domain.lots import Lot
from loyalty_programs.models import directory, enrollments, loyalty_cards, points_transaction_ids, points_transactions

Days = Mapping[int, date]
"""Cards with lots that are due, and what day it is where they are at home."""

_TENANT = bindparam("tenant_id", type_=BigInteger)
_locations = directory.locations
_lot = points_transactions.alias("lot")
_CAN_EXPIRE = and_(_lot.c.points_remaining > 0, _lot.c.expires_on.is_not(None))


def _cards() -> Any:
    """Each card that has lots with an end, by one probe of the index of due lots per card, and its earliest end."""
    place = (_lot.c.tenant_id, _lot.c.loyalty_card_id)
    probe = select(*place, _lot.c.expires_on).where(_CAN_EXPIRE).order_by(*place, _lot.c.expires_on).limit(1)
    cards = probe.cte("cards", recursive=True)
    following = probe.where(tuple_(*place) > tuple_(cards.c.tenant_id, cards.c.loyalty_card_id))
    return cards.union_all(select(lateral(following.correlate(cards), name="following")).select_from(cards))


_found = _cards()
_ENDING = (
    select(_found.c.tenant_id, loyalty_cards.c.id, _found.c.expires_on, _locations.c.time_zone)
    .select_from(_found)
    .join(
        loyalty_cards,
        and_(loyalty_cards.c.tenant_id == _found.c.tenant_id, loyalty_cards.c.id == _found.c.loyalty_card_id),
    )
    .outerjoin(
        _locations,
        and_(
            _locations.c.organization_id == loyalty_cards.c.organization_id,
            _locations.c.partner_location_id == loyalty_cards.c.partner_location_id,
        ),
    )
    .order_by(_found.c.tenant_id, loyalty_cards.c.id)
)


def due_cards(connection: Connection, *, at: datetime) -> Iterator[tuple[int, Days]]:
    """Of all tenants: each that has due lots, with the cards that they are on."""
    for tenant_id, cards in groupby(connection.execute(_ENDING).all(), key=attrgetter("tenant_id")):
        days = {card.id: (card.expires_on, local_date(at, card.time_zone or "UTC")) for card in cards}
        due = {card_id: today for card_id, (first_end, today) in days.items() if first_end < today}
        if due:
            yield tenant_id, due


def _days() -> TableValuedAlias:
    columns = (column("card_id", BigInteger), column("today", Date))
    rows = func.json_to_recordset(cast(bindparam("days", type_=Text), JSON))
    return rows.table_valued(*columns).render_derived(name="days", with_types=True)


_days_of = _days()
_IS_DUE = and_(
    _CAN_EXPIRE,
    _lot.c.tenant_id == _TENANT,
    _lot.c.loyalty_card_id == _days_of.c.card_id,
    _lot.c.expires_on < _days_of.c.today,
)
# Whoever is busy, with a purchase or with another of these jobs, is passed over for the next who is due: jobs side by
# side share the work. Nobody is waited for, so the order of the locks does not matter.
_LOCK = (
    select(enrollments.c.id)
    .select_from(_lot)
    .join(enrollments, and_(enrollments.c.tenant_id == _TENANT, enrollments.c.id == _lot.c.enrollment_id))
    .where(_IS_DUE)
    .limit(bindparam("batch"))
    .with_for_update(of=enrollments, skip_locked=True)
)
_LOTS = (
    select(func.json_agg(func.json_build_array(_lot.c.id, _lot.c.points_remaining, _lot.c.expires_on)))
    .where(_IS_DUE, _lot.c.enrollment_id == enrollments.c.id)
    .correlate(enrollments)
    .scalar_subquery()
)
_LOAD = (
    select(
        *(stored for stored in enrollments.c if stored.name != "tenant_id"),
        people.CUSTOMERS.c.profile,
        people.CUSTOMERS.c.erased_at,
        _LOTS.label("lots"),
        points_transaction_ids.next_value().label("transaction_id"),
    )
    .outerjoin(
        people.CUSTOMERS,
        and_(people.CUSTOMERS.c.tenant_id == _TENANT, people.CUSTOMERS.c.customer_id == enrollments.c.customer_id),
    )
    .where(enrollments.c.tenant_id == _TENANT, enrollments.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(enrollments.c.id)
)


@dataclass(frozen=True, slots=True)
class Holder:
    """An enrollment with lots that are due, locked; ``transaction_id``: for the row that writes them off."""

    enrollment: Mapping[str, Any]
    version: int
    customer: Mapping[str, Any]
    lots: tuple[Lot, ...]
    transaction_id: int


def lock_and_load(tx: Transaction, *, days: Days, batch: int, at: datetime) -> Sequence[Holder]:
    """Those of ``batch`` lots that are due; none if nobody is left who is not busy."""
    named = {"days": orjson.dumps([{"card_id": card, "today": today} for card, today in days.items()]).decode()}
    while ids := tx.execute(_LOCK, {**named, "batch": batch}).scalars().all():
        holders = [_holder(row, at) for row in tx.execute(_LOAD, {**named, "ids": ids}) if row.lots]
        if holders:
            return holders
        # All of them were somebody else's a moment ago, who is done with them: they are not due any more.
    return ()


def _holder(row: Row[Any], at: datetime) -> Holder:
    return Holder(
        enrollment=row._asdict(),
        version=row.version,
        customer=row.profile or people.nobody(row.customer_id, erased_at=row.erased_at or at),
        lots=lots_of(row.lots),
        transaction_id=row.transaction_id,
    )
