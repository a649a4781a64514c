"""Customers come into being: lock who has the e-mail, load, decide, record; for a new one unique constraints decide."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, Table, and_, bindparam, literal, select

from loyalty_common.database import Conflict, Transaction
from loyalty_common.idempotency import Reply, RequestKey, idempotency_row, replay_columns, same_key, stored_reply
from loyalty_common.messaging.outbox import outbox_row
from loyalty_common.record import Record
from loyalty_customers.domain import emails, profiles, queries
from loyalty_customers.domain.errors import ExternalIdTaken
from loyalty_customers.domain.profiles import Profile
from loyalty_customers.events import CustomerCreated
from loyalty_customers.models import Customer, customer_ids, idempotency, outbox

_CUSTOMERS = Customer.__table__
_HOLDER = _CUSTOMERS.alias("holder")
_FACTS = select(literal(1).label("one")).subquery("facts")

_LOAD = select(
    customer_ids.next_value().label("next_id"),
    *replay_columns(idempotency),
    _HOLDER.c.id.label("external_id_holder"),
    *_CUSTOMERS.columns,
).select_from(
    _FACTS.outerjoin(idempotency, same_key(idempotency))
    .outerjoin(
        _CUSTOMERS,
        and_(_CUSTOMERS.c.tenant_id == bindparam("tenant_id"), _CUSTOMERS.c.email_key == bindparam("email_key")),
    )
    .outerjoin(
        _HOLDER,
        and_(_HOLDER.c.tenant_id == bindparam("tenant_id"), _HOLDER.c.external_id == bindparam("external_id")),
    )
)
# Shared: whoever erases or changes him meanwhile would miss the reply that we store of him.
_LOCK = (
    select(_CUSTOMERS.c.id)
    .where(_CUSTOMERS.c.tenant_id == bindparam("tenant_id"), _CUSTOMERS.c.email_key == bindparam("email_key"))
    .with_for_update(read=True)
)
_RECORD_NEW = Record(inserts=(_CUSTOMERS, outbox, idempotency))
_RECORD_REPLY = Record(inserts=(idempotency,))


def create(tx: Transaction, *, profile: Profile, request: RequestKey, source: str, at: datetime) -> Reply:
    """A new customer (201), or the stored one who has this e-mail, never overwritten (200).

    Two at once: one of them violates the unique e-mail, runs again and finds the other's.
    """
    keys = profiles.columns(profile)
    locked = tx.execute(_LOCK, {"email_key": keys["email_key"]}).scalar()
    loaded = tx.execute(
        _LOAD,
        {"idempotency_key": request.key, "email_key": keys["email_key"], "external_id": profile.external_id},
    ).one()
    reply = stored_reply(loaded, request)
    if reply is not None:
        return reply
    if loaded.id != locked:
        raise Conflict
    if loaded.id is not None:
        reply = Reply(200, queries.shown(loaded))
        _RECORD_REPLY.write(tx, {idempotency: [idempotency_row(request, reply, at=at)]})
        return reply
    return _record_new(tx, loaded, profile=profile, request=request, source=source, at=at)


def _record_new(
    tx: Transaction, loaded: Row[Any], *, profile: Profile, request: RequestKey, source: str, at: datetime
) -> Reply:
    if loaded.external_id_holder is not None:
        raise ExternalIdTaken
    customer, rows = new_rows(loaded.next_id, profile, source=source, at=at)
    reply = Reply(201, customer)
    _RECORD_NEW.write(tx, {**rows, idempotency: [idempotency_row(request, reply, at=at)]})
    emails.check_passed_on(tx, email=profile.email, customer_id=loaded.next_id)
    return reply


def new_rows(
    customer_id: int, profile: Profile, *, source: str, at: datetime
) -> tuple[dict[str, Any], dict[Table, list[dict[str, Any]]]]:
    """A customer who comes into being: as he is shown, and the rows to be recorded."""
    customer = profiles.customer_object(customer_id=customer_id, profile=profile, created_at=at, updated_at=at)
    event = CustomerCreated(customer=customer, source=source)
    row = {**profiles.columns(profile), "id": customer_id, "version": 1, "created_at": at, "updated_at": at}
    return customer, {
        _CUSTOMERS: [row],
        outbox: [outbox_row(event=event.name, data=event.data(), created_at=at, version=1)],
    }
