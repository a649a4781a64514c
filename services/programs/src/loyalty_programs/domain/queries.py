"""Reads of what is stored; lists have their order and limits put on them by ``loyalty_common.pagination``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Row, ScalarSelect, Select, bindparam, exists, func, literal, select

from loyalty_common.database import Transaction
from loyalty_common.fields import normalized_email
from loyalty_programs.domain.acts import AHEAD
from loyalty_programs.domain.dates import start_of_day
from loyalty_programs.models import (
    directory,
    enrollments,
    loyalty_cards,
    points_transactions,
    stamp_cards,
    stamp_transactions,
)

_TENANT = bindparam("tenant_id", type_=BigInteger)
_CUSTOMERS = directory.customers
_LOCATIONS = directory.locations

OPERATIONS = ("transactions", "redemptions", "reverse")
"""Those of a loyalty card, each with references of its own."""

CARDS_NEWEST = (loyalty_cards.c.created_at, loyalty_cards.c.id)
STAMP_CARDS_NEWEST = (stamp_cards.c.created_at, stamp_cards.c.id)
TRANSACTIONS_NEWEST = (points_transactions.c.recorded_at, points_transactions.c.id)

_CARD = select(loyalty_cards).where(loyalty_cards.c.tenant_id == _TENANT, loyalty_cards.c.id == bindparam("card_id"))
_STAMP_CARD = select(stamp_cards).where(
    stamp_cards.c.tenant_id == _TENANT, stamp_cards.c.id == bindparam("stamp_card_id")
)
_TRANSACTION_OF_REFERENCE = select(points_transactions).where(
    points_transactions.c.tenant_id == _TENANT,
    points_transactions.c.loyalty_card_id == bindparam("card_id"),
    points_transactions.c.operation == bindparam("operation"),
    points_transactions.c.reference == bindparam("reference"),
)
_TRANSACTION = select(points_transactions).where(
    points_transactions.c.tenant_id == _TENANT,
    points_transactions.c.loyalty_card_id == bindparam("card_id"),
    points_transactions.c.id == bindparam("transaction_id"),
)
_reversal = stamp_transactions.alias("reversal")
_was_reversed = exists().where(
    _reversal.c.tenant_id == _TENANT, _reversal.c.reverses_stamp_id == stamp_transactions.c.id
)
_STAMPS_OF_REFERENCE = (
    select(stamp_transactions, _was_reversed.label("was_reversed"))
    .where(
        stamp_transactions.c.tenant_id == _TENANT,
        stamp_transactions.c.stamp_card_id == bindparam("stamp_card_id"),
        stamp_transactions.c.operation == bindparam("operation"),
        stamp_transactions.c.reference == bindparam("reference"),
    )
    .order_by(stamp_transactions.c.position)
)


def loyalty_card(tx: Transaction, *, card_id: int) -> Row[Any] | None:
    return tx.execute(_CARD, {"card_id": card_id}).one_or_none()


def all_loyalty_cards() -> Select[Any]:
    return select(loyalty_cards).where(loyalty_cards.c.tenant_id == _TENANT)


def stamp_card(tx: Transaction, *, stamp_card_id: int) -> Row[Any] | None:
    return tx.execute(_STAMP_CARD, {"stamp_card_id": stamp_card_id}).one_or_none()


def all_stamp_cards() -> Select[Any]:
    return select(stamp_cards).where(stamp_cards.c.tenant_id == _TENANT)


def transaction(tx: Transaction, *, card_id: int, transaction_id: int) -> Row[Any] | None:
    return tx.execute(_TRANSACTION, {"card_id": card_id, "transaction_id": transaction_id}).one_or_none()


def transaction_of_reference(tx: Transaction, *, card_id: int, operation: str, reference: str) -> Row[Any]:
    """The row that used the reference up, which exists."""
    return tx.execute(
        _TRANSACTION_OF_REFERENCE, {"card_id": card_id, "operation": operation, "reference": reference}
    ).one()


def stamps_of_reference(tx: Transaction, *, stamp_card_id: int, operation: str, reference: str) -> list[Row[Any]]:
    """All rows that one request wrote, in their order; each says whether it ``was_reversed`` since."""
    named = {"stamp_card_id": stamp_card_id, "operation": operation, "reference": reference}
    return list(tx.execute(_STAMPS_OF_REFERENCE, named))


def home_time_zone(tx: Transaction, card: Row[Any]) -> str:
    """Where the days of a card's lists begin; UTC for a location that the directory does not know."""
    named = {"organization_id": card.organization_id, "partner_location_id": card.partner_location_id}
    return tx.execute(_TIME_ZONE, named).scalar_one_or_none() or "UTC"


_TIME_ZONE = select(_LOCATIONS.c.time_zone).where(
    _LOCATIONS.c.organization_id == bindparam("organization_id"),
    _LOCATIONS.c.partner_location_id == bindparam("partner_location_id"),
)


def transactions(*, card_id: int, filters: Mapping[str, Any], time_zone: str) -> Select[Any]:
    """``from`` and ``to`` are about when it happened; a date without a time is the whole local day, at both ends."""
    ledger = points_transactions.c
    rows = select(points_transactions).where(ledger.tenant_id == _TENANT, ledger.loyalty_card_id == card_id)
    if filters["customer_id"] is not None or filters["customer_email"] is not None:
        rows = rows.where(ledger.enrollment_id == enrollment_of(card_id, filters))
    if filters["reference"] is not None:
        rows = rows.where(*has_reference(filters["reference"], *OPERATIONS))
    if filters["type"] is not None:
        rows = rows.where(ledger.type == inlined(filters["type"]))
    return rows.where(*happened_between(filters, time_zone, ledger.occurred_at, recorded_at=ledger.recorded_at))


def has_reference(reference: str, *operations: str) -> tuple[ColumnElement[bool], ...]:
    """Naming the operations, too, lets the unique index find them."""
    ledger = points_transactions.c
    return ledger.operation.in_(operations), ledger.reference == reference


def inlined(choice: str) -> ColumnElement[str]:
    """One of our own words, written into the statement: only then are partial indexes seen to fit."""
    return literal(choice, literal_execute=True)


def enrollment_of(card_id: int, filters: Mapping[str, Any]) -> ScalarSelect[int]:
    """The enrollment of whom a list's query names: one value, so that an index gives its rows in their order."""
    named = names_customer(enrollments.c.customer_id, filters)
    return (
        select(enrollments.c.id)
        .where(enrollments.c.tenant_id == _TENANT, enrollments.c.loyalty_card_id == card_id, *named)
        .scalar_subquery()
    )


def names_customer(customer_id: ColumnElement[int], filters: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    """What ``customer_id`` and ``customer_email`` of a list's query say; nothing where neither is given."""
    conditions = []
    if filters["customer_id"] is not None:
        conditions.append(customer_id == filters["customer_id"])
    if filters["customer_email"] is not None:
        conditions.append(customer_id == _holder_of(filters["customer_email"]))
    return conditions


def _holder_of(email: str) -> ScalarSelect[int]:
    """One value, as above; of two who claim it for a moment, the newer."""
    holder = _CUSTOMERS.c.tenant_id == _TENANT, _CUSTOMERS.c.email == normalized_email(email)
    return select(func.max(_CUSTOMERS.c.customer_id)).where(*holder).scalar_subquery()


def happened_between(
    filters: Mapping[str, Any],
    time_zone: str,
    occurred_at: ColumnElement[datetime],
    *,
    recorded_at: ColumnElement[datetime],
    late: timedelta | None = None,
) -> list[ColumnElement[bool]]:
    """What ``from`` and ``to`` of a list's query say, and what follows for ``recorded_at``, by which it is ordered.

    Nothing is recorded long before it happened, nor, where ``late`` is known, longer than that after it: so the list
    begins and ends near the period that was asked for.
    """
    conditions = []
    if filters["first"] is not None:
        start = _start_of(filters["first"], time_zone)
        conditions += [occurred_at >= start, recorded_at >= start - AHEAD]
    if filters["last"] is not None:
        end = _end_of(filters["last"], time_zone)
        conditions += [occurred_at < end, *([recorded_at < end + late] if late is not None else [])]
    return conditions


def _start_of(first: date | datetime, time_zone: str) -> datetime:
    return first if isinstance(first, datetime) else start_of_day(first, time_zone)


def _end_of(last: date | datetime, time_zone: str) -> datetime:
    """Times are shown without fractions: the second that was asked for is meant to its end."""
    if isinstance(last, datetime):
        return last.replace(microsecond=0) + timedelta(seconds=1)
    return start_of_day(last + timedelta(days=1), time_zone)
