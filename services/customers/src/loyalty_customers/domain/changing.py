"""A merchant changes what he says of a customer: lock, load, decide, record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, literal_column

from loyalty_common.database import Transaction
from loyalty_common.errors import NotFound
from loyalty_common.fields import normalized_email
from loyalty_common.idempotency import Reply, RequestKey, idempotency_row, replay_columns, same_key, stored_reply
from loyalty_common.messaging.outbox import outbox_row
from loyalty_common.record import Record
from loyalty_customers.domain import emails, profiles, queries
from loyalty_customers.domain.errors import EmailTaken, ExternalIdTaken
from loyalty_customers.domain.profiles import Profile
from loyalty_customers.events import CustomerUpdated
from loyalty_customers.models import Customer, idempotency, outbox

_CUSTOMERS = Customer.__table__
_BY_EMAIL, _BY_EXTERNAL_ID = _CUSTOMERS.alias("by_email"), _CUSTOMERS.alias("by_external_id")
_NAMED = queries.PRESENT.where(Customer.id == bindparam("customer_id"))
_LOCK: Select[Any] = _NAMED.with_only_columns(literal_column("1")).with_for_update()
_LOAD = _NAMED.add_columns(
    *replay_columns(idempotency),
    _BY_EMAIL.c.id.label("email_holder"),
    _BY_EXTERNAL_ID.c.id.label("external_id_holder"),
).select_from(
    _CUSTOMERS.outerjoin(idempotency, same_key(idempotency))
    .outerjoin(
        _BY_EMAIL,
        and_(_BY_EMAIL.c.tenant_id == bindparam("tenant_id"), _BY_EMAIL.c.email_key == bindparam("email_key")),
    )
    .outerjoin(
        _BY_EXTERNAL_ID,
        and_(
            _BY_EXTERNAL_ID.c.tenant_id == bindparam("tenant_id"),
            _BY_EXTERNAL_ID.c.external_id == bindparam("external_id"),
        ),
    )
)
_RECORD = Record(
    guard=(_CUSTOMERS, (*profiles.columns(Profile(email="")), "updated_at")), inserts=(outbox, idempotency)
)
_RECORD_REPLY = Record(inserts=(idempotency,))


def change(
    tx: Transaction, *, customer_id: int, changes: Mapping[str, Any], request: RequestKey, source: str, at: datetime
) -> Reply:
    """The customer afterwards (200); ``changes`` has fields of ``Profile``, those that it does not name stay.

    Published if something is different. Raises ``NotFound``, ``EmailTaken``, ``ExternalIdTaken``, and ``Unavailable``
    while the e-mail is passing on from somebody else.
    """
    named = {"customer_id": customer_id}
    if tx.execute(_LOCK, named).first() is None:
        raise NotFound
    email_key = normalized_email(changes["email"]) if "email" in changes else None
    wanted = {**named, "email_key": email_key, "external_id": changes.get("external_id")}
    loaded = tx.execute(_LOAD, {**wanted, "idempotency_key": request.key}).one()
    reply = stored_reply(loaded, request)
    if reply is not None:
        return reply
    before = queries.profile_of(loaded)
    after = replace(before, **changes)
    if profiles.differences(before, after):
        _check_free(loaded)
        return _record(tx, loaded, before=before, after=after, request=request, source=source, at=at)
    reply = Reply(200, queries.shown(loaded))
    _RECORD_REPLY.write(tx, {idempotency: [idempotency_row(request, reply, at=at)]})
    return reply


def _check_free(loaded: Row[Any]) -> None:
    if loaded.email_holder not in (None, loaded.id):
        raise EmailTaken
    if loaded.external_id_holder not in (None, loaded.id):
        raise ExternalIdTaken


def _record(
    tx: Transaction,
    loaded: Row[Any],
    *,
    before: Profile,
    after: Profile,
    request: RequestKey,
    source: str,
    at: datetime,
) -> Reply:
    customer = profiles.customer_object(
        customer_id=loaded.id, profile=after, created_at=loaded.created_at, updated_at=at
    )
    reply = Reply(200, customer)
    event = CustomerUpdated(customer=customer, changed=profiles.differences(before, after), source=source)
    told = outbox_row(event=event.name, data=event.data(), created_at=at, version=loaded.version + 1)
    gives_up = normalized_email(before.email) != normalized_email(after.email)
    _RECORD.write(
        tx,
        {
            outbox: [{**told, **emails.freed(before.email)} if gives_up else told],
            idempotency: [idempotency_row(request, reply, at=at)],
        },
        guard=[{**profiles.columns(after), "id": loaded.id, "version": loaded.version, "updated_at": at}],
    )
    if gives_up:
        emails.check_passed_on(tx, email=after.email, customer_id=loaded.id)
    return reply
