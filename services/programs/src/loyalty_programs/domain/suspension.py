"""Merchants suspend members and let them back in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, and_, bindparam, literal, select
from sqlalchemy.types import BigInteger

from loyalty_common.database import Transaction
from loyalty_common.errors import NotFound
from loyalty_common.idempotency import Reply, idempotency_row, replay_columns, same_key, stored_reply
from loyalty_common.messaging.outbox import outbox_row
from loyalty_common.record import Record
from loyalty_programs.domain import people, shapes
from loyalty_programs.domain.acts import Act
from loyalty_programs.domain.people import CustomerName
from loyalty_programs.domain.replies import answer_only
from loyalty_programs.events import EnrollmentChanged
from loyalty_programs.models import enrollments, idempotency, outbox

_TENANT = bindparam("tenant_id", type_=BigInteger)
_START = select(literal(1).label("one")).subquery("start")
_IS_ENROLLMENT = and_(
    enrollments.c.tenant_id == _TENANT,
    enrollments.c.loyalty_card_id == bindparam("card_id", type_=BigInteger),
    enrollments.c.id == bindparam("enrollment_id", type_=BigInteger),
)

# Purchases queue here too: what is under way is recorded first, and none gets in between.
_LOCK = select(enrollments.c.id).where(_IS_ENROLLMENT).with_for_update()
_LOAD = select(*replay_columns(idempotency), *people.COLUMNS, *enrollments.c).select_from(
    _START.outerjoin(idempotency, same_key(idempotency))
    .outerjoin(enrollments, _IS_ENROLLMENT)
    .outerjoin(
        people.CUSTOMERS,
        and_(people.CUSTOMERS.c.tenant_id == _TENANT, people.CUSTOMERS.c.customer_id == enrollments.c.customer_id),
    )
)
_RECORD = Record(guard=(enrollments, ("status", "updated_at")), inserts=(outbox, idempotency))


def update(tx: Transaction, *, card_id: int, enrollment_id: int, changes: Mapping[str, Any], act: Act) -> Reply:
    """The enrollment with the ``status`` of ``changes``, if there is one; untouched and silent if it has it already."""
    named = {"card_id": card_id, "enrollment_id": enrollment_id}
    tx.execute(_LOCK, named)
    loaded = tx.execute(_LOAD, {**named, **act.parameters}).one()
    if loaded.id is None:
        raise NotFound
    reply = stored_reply(loaded, act.request)
    if reply is not None:
        return reply
    if changes.get("status", loaded.status) == loaded.status:
        return answer_only(tx, Reply(200, shapes.enrollment(loaded._asdict())), act)
    return _record(tx, loaded, status=changes["status"], act=act)


def _record(tx: Transaction, loaded: Row[Any], *, status: str, act: Act) -> Reply:
    customer = people.identify(tx, loaded, CustomerName(customer_id=loaded.customer_id))
    changed = {"status": status, "updated_at": act.at}
    shown = shapes.enrollment(loaded._asdict() | changed)
    event = EnrollmentChanged(enrollment=shown, customer=customer, source=act.source)
    reply = Reply(200, shown)
    _RECORD.write(
        tx,
        {
            outbox: [outbox_row(event=event.name, data=event.data(), created_at=act.at)],
            idempotency: [idempotency_row(act.request, reply, at=act.at)],
        },
        guard=[{"id": loaded.id, "version": loaded.version, **changed}],
    )
    return reply
