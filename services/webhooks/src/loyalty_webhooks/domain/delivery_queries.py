"""Reads of deliveries and their attempts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import BigInteger, DateTime, Row, Select, Uuid, and_, bindparam, case, literal_column, select

from loyalty_common.database import Transaction
from loyalty_webhooks.domain import shapes
from loyalty_webhooks.models import QueuedDelivery, WebhookAttempt, WebhookDelivery, WebhookEvent

STATUSES = ("pending", "sending", "succeeded", "exhausted", "cancelled")
SHOWN_ATTEMPTS = 100
NEWEST_FIRST = (WebhookDelivery.created_at, WebhookDelivery.id)
_DELIVERIES = WebhookDelivery.__table__
_EVENTS = WebhookEvent.__table__
_ATTEMPTS = WebhookAttempt.__table__
_QUEUED = QueuedDelivery.__table__

# With the event's moment, so that of a partitioned table one day is looked into.
IS_QUEUED = and_(
    _QUEUED.c.tenant_id == _DELIVERIES.c.tenant_id,
    _QUEUED.c.delivery_id == _DELIVERIES.c.id,
    _QUEUED.c.event_created_at == _DELIVERIES.c.event_created_at,
)
IS_NAMED = and_(
    _DELIVERIES.c.tenant_id == bindparam("tenant_id", type_=BigInteger),
    _DELIVERIES.c.id == bindparam("delivery_id", type_=BigInteger),
)
_UNFINISHED = _DELIVERIES.c.status == literal_column("'pending'")
_STATUS = case((and_(_UNFINISHED, _QUEUED.c.claim_id.is_not(None)), "sending"), else_=_DELIVERIES.c.status)
COLUMNS = (
    *(column for column in _DELIVERIES.c if column.name not in ("tenant_id", "status")),
    _STATUS.label("status"),
)
_LISTED = (
    select(*COLUMNS)
    .select_from(_DELIVERIES.outerjoin(_QUEUED, IS_QUEUED))
    .where(_DELIVERIES.c.tenant_id == bindparam("tenant_id", type_=BigInteger))
)
_BY_ID = select(*COLUMNS).select_from(_DELIVERIES.outerjoin(_QUEUED, IS_QUEUED)).where(IS_NAMED)
# Not joined: with the event's moment in hand, one day's partition is planned for.
_PAYLOAD = select(_EVENTS.c.payload).where(
    _EVENTS.c.tenant_id == bindparam("tenant_id", type_=BigInteger),
    _EVENTS.c.id == bindparam("event_id", type_=Uuid),
    _EVENTS.c.created_at == bindparam("event_created_at", type_=DateTime(timezone=True)),
)
_ITS_ATTEMPTS = (
    select(_ATTEMPTS)
    .where(
        _ATTEMPTS.c.tenant_id == bindparam("tenant_id", type_=BigInteger),
        _ATTEMPTS.c.delivery_id == bindparam("delivery_id", type_=BigInteger),
        _ATTEMPTS.c.event_created_at == bindparam("event_created_at", type_=DateTime(timezone=True)),
        _ATTEMPTS.c.number > bindparam("after_number", type_=BigInteger),
        _ATTEMPTS.c.number <= bindparam("up_to_number", type_=BigInteger),
    )
    .order_by(_ATTEMPTS.c.number)
)

_FILTERS: Mapping[str, Callable[[Any], Any]] = {
    "endpoint_id": lambda value: _DELIVERIES.c.endpoint_id == value,
    "event": lambda value: _DELIVERIES.c.event == value,
    "event_id": lambda value: _DELIVERIES.c.event_id == value,
    "status": lambda value: _has_status(value),
    "from_at": lambda value: _DELIVERIES.c.created_at >= value,
    "to_at": lambda value: _DELIVERIES.c.created_at < value,
}


def matching(query: Mapping[str, Any]) -> Select[Any]:
    """Deliveries that a list's filters leave."""
    return _LISTED.where(*(narrow(query[name]) for name, narrow in _FILTERS.items() if query[name] is not None))


def _has_status(status: str) -> Any:
    """In the words of the index's own condition: of a parameter PostgreSQL could not know that it fits."""
    if status == "sending":
        return and_(_UNFINISHED, _QUEUED.c.claim_id.is_not(None))
    if status == "pending":
        return and_(_UNFINISHED, _QUEUED.c.claim_id.is_(None))
    return _DELIVERIES.c.status == literal_column(f"'{status}'")


def shown(tx: Transaction, *, delivery_id: int) -> dict[str, Any] | None:
    """A delivery with its payload and attempts, the last hundred of them."""
    row = tx.execute(_BY_ID, {"delivery_id": delivery_id}).one_or_none()
    its_payload = None if row is None else payload(tx, row)
    if row is None or its_payload is None:
        return None
    return shapes.delivery({**row._mapping, "payload": its_payload}, attempts(tx, row))


def payload(tx: Transaction, delivery: Row[Any]) -> str | None:
    """The signed text; null for the moment in which a day is being dropped."""
    where = {"event_id": delivery.event_id, "event_created_at": delivery.event_created_at}
    return tx.execute(_PAYLOAD, where).scalar_one_or_none()


def attempts(tx: Transaction, delivery: Row[Any], *, up_to: int | None = None) -> list[Mapping[Any, Any]]:
    last = delivery.attempt_count if up_to is None else up_to
    numbers = {"after_number": last - SHOWN_ATTEMPTS, "up_to_number": last}
    where = {"delivery_id": delivery.id, "event_created_at": delivery.event_created_at}
    return [row._mapping for row in tx.execute(_ITS_ATTEMPTS, {**where, **numbers})]
