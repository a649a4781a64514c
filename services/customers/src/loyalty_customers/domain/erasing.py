"""A customer is erased: what remains is that he was there, under which id, and when he went."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Table, Text, and_, bindparam, literal, null, or_, select, update

from loyalty_common.database import Transaction
from loyalty_common.envelope import timestamp
from loyalty_common.erasure import forget_replies, forget_unsent, tables_with
from loyalty_common.errors import NotFound
from loyalty_common.idempotency import Reply, RequestKey, idempotency_row, replay_columns, same_key, stored_reply
from loyalty_common.messaging.outbox import outbox_row
from loyalty_common.record import Record
from loyalty_customers.domain import emails, profiles
from loyalty_customers.events import CustomerErased
from loyalty_customers.models import Customer, idempotency, outbox

_CUSTOMERS = Customer.__table__
_IS_NAMED = and_(_CUSTOMERS.c.tenant_id == bindparam("tenant_id"), _CUSTOMERS.c.id == bindparam("customer_id"))
_LOCK = select(_CUSTOMERS.c.id).where(_IS_NAMED).with_for_update()
_LOAD = select(
    *replay_columns(idempotency),
    *(_CUSTOMERS.c[name] for name in ("id", "version", "email", "email_key", "created_at", "erased_at")),
).select_from(
    select(literal(1).label("one"))
    .subquery("facts")
    .outerjoin(idempotency, same_key(idempotency))
    .outerjoin(_CUSTOMERS, _IS_NAMED)
)
_ERASED: dict[str, Any] = {
    **dict.fromkeys(("name", "email", "email_key", "phone", "external_id")),
    "metadata": {},
    "search_text": "",
}
# What a file said of him: rows by e-mail that are still to come, rows by id that were judged.
_RAW = tables_with(_CUSTOMERS.metadata, "email_key", "customer_id")
_RECORD = Record(guard=(_CUSTOMERS, (*_ERASED, "updated_at", "erased_at")), inserts=(outbox, idempotency))


def erase(tx: Transaction, *, customer_id: int, request: RequestKey, source: str, at: datetime) -> Reply:
    """``{id, erased_at}`` (200). ``NotFound`` for one who is erased already, but for a repetition of the request.

    The row lock keeps others from storing a reply with the profile behind our back.
    """
    tx.execute(_LOCK, {"customer_id": customer_id})
    loaded = tx.execute(_LOAD, {"customer_id": customer_id, "idempotency_key": request.key}).one()
    reply = stored_reply(loaded, request)
    if reply is not None:
        return reply
    if loaded.id is None or loaded.erased_at is not None:
        raise NotFound
    reply = Reply(200, {"id": customer_id, "erased_at": timestamp(at)})
    nobody = profiles.erased_object(customer_id=customer_id, created_at=loaded.created_at, erased_at=at)
    event = CustomerErased(customer=nobody, source=source, erased_at=timestamp(at))
    told = outbox_row(event=event.name, data=event.data(), created_at=at, version=loaded.version + 1)
    _RECORD.write(
        tx,
        {
            outbox: [{**told, **emails.freed(loaded.email)}],
            idempotency: [idempotency_row(request, reply, at=at)],
        },
        guard=[{"id": customer_id, "version": loaded.version, **_ERASED, "updated_at": at, "erased_at": at}],
    )
    for table in _RAW:
        _empty(tx, table, customer_id=customer_id, email_key=loaded.email_key)
    forget_replies(tx, idempotency, customer_id=customer_id)
    forget_unsent(tx, outbox, customer_id=customer_id)
    return reply


def _empty(tx: Transaction, table: Table, *, customer_id: int, email_key: str) -> None:
    """The rows stay to be counted; all their words go."""
    words = [column.name for column in table.columns if isinstance(column.type, Text | JSON)]
    his = or_(table.c.customer_id == customer_id, table.c.email_key == email_key)
    tx.connection.execute(
        update(table).where(table.c.tenant_id == tx.tenant_id, his).values(dict.fromkeys(words, null()))
    )
