"""Undoing a redemption: lock, load, decide, record."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, and_, bindparam, select

from loyalty_common.database import Rendered, Transaction
from loyalty_common.directory import MissingFromDirectory
from loyalty_common.errors import NotFound
from loyalty_common.idempotency import Reply, idempotency_row, replay_columns, same_key, stored_reply
from loyalty_common.messaging.outbox import outbox_row
from loyalty_common.record import Record
from loyalty_vouchers.domain import shapes
from loyalty_vouchers.domain.acts import Act
from loyalty_vouchers.domain.errors import CustomerNotFound
from loyalty_vouchers.events import VoucherRolledBack
from loyalty_vouchers.models import Redemption, directory, idempotency, outbox

_REDEMPTIONS = Redemption.__table__
_CUSTOMERS = directory.customers
_IS_ASKED_FOR = and_(
    _REDEMPTIONS.c.tenant_id == bindparam("tenant_id"),
    _REDEMPTIONS.c.voucher_id == bindparam("voucher_id"),
    _REDEMPTIONS.c.id == bindparam("redemption_id"),
)
# The redemption's row alone: what a rollback gives back can only be too late for another till, never too much.
_LOCK = Rendered(select(_REDEMPTIONS.c.id).where(_IS_ASKED_FOR).with_for_update())
_LOAD = Rendered(
    select(
        _REDEMPTIONS,
        _CUSTOMERS.c.profile.label("profile"),
        _CUSTOMERS.c.version.label("customer_version"),
        *replay_columns(idempotency),
    )
    .select_from(
        _REDEMPTIONS.outerjoin(idempotency, same_key(idempotency)).outerjoin(
            _CUSTOMERS,
            and_(
                _CUSTOMERS.c.tenant_id == _REDEMPTIONS.c.tenant_id,
                _CUSTOMERS.c.customer_id == _REDEMPTIONS.c.customer_id,
            ),
        )
    )
    .where(_IS_ASKED_FOR)
)
_RECORD = Record(changes={_REDEMPTIONS: ("rolled_back_at",)}, inserts=(outbox, idempotency))


def roll_back(tx: Transaction, *, voucher_id: int, redemption_id: int, act: Act) -> Reply:
    """The redemption, rolled back (200): its use and its order reference are free. Again: the same, ``duplicate``.

    Raises ``NotFound`` if it is none of this voucher's.
    """
    named = {"voucher_id": voucher_id, "redemption_id": redemption_id}
    tx.run(_LOCK, named)
    rows = tx.run(_LOAD, {**named, "idempotency_key": act.request.key})
    if not rows:
        raise NotFound
    [loaded] = rows
    reply = stored_reply(loaded, act.request)
    if reply is not None:
        return reply
    if loaded.rolled_back_at is not None:
        reply = Reply(200, shapes.redemption(loaded._asdict()), meta={"duplicate": True})
        _RECORD.write(tx, {idempotency: [idempotency_row(act.request, reply, at=act.at)]})
        return reply
    return _record(tx, loaded, act)


def _record(tx: Transaction, loaded: Row[Any], act: Act) -> Reply:
    if loaded.customer_version is None:
        raise MissingFromDirectory(customer_id=loaded.customer_id, otherwise=CustomerNotFound("customer_id"))
    reply = Reply(200, shapes.redemption({**loaded._asdict(), "rolled_back_at": act.at}))
    told = []
    # An erased customer's is one of nulls; none at all is left by the release that did not keep those.
    if loaded.profile is not None:
        event = VoucherRolledBack(redemption=reply.data, customer=loaded.profile, source=act.source)
        told = [outbox_row(event=event.name, data=event.data(), created_at=act.at)]
    _RECORD.write(
        tx,
        {outbox: told, idempotency: [idempotency_row(act.request, reply, at=act.at)]},
        changes={_REDEMPTIONS: [{"id": loaded.id, "rolled_back_at": act.at}]},
    )
    return reply
