"""The only writer of redemptions: lock, load, decide, record.

No column of the locked voucher changes, so *record* has no version to guard: the lock lasts until the COMMIT.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row

from loyalty_common.database import Conflict, Transaction
from loyalty_common.directory import MissingFromDirectory
from loyalty_common.errors import NotFound, Unavailable
from loyalty_common.idempotency import Reply, idempotency_row, stored_reply
from loyalty_common.messaging.outbox import outbox_row
from loyalty_common.record import Record
from loyalty_vouchers.domain import people, queries, shapes
from loyalty_vouchers.domain.acts import Act
from loyalty_vouchers.domain.errors import DuplicateReference, UnknownLocation
from loyalty_vouchers.domain.facts import LOAD, LOCK
from loyalty_vouchers.domain.people import CustomerName
from loyalty_vouchers.domain.redeeming import Terms, Uses, decide
from loyalty_vouchers.events import VoucherRedeemed
from loyalty_vouchers.models import Redemption, idempotency, outbox

_REDEMPTIONS = Redemption.__table__
_RECORD = Record(inserts=(_REDEMPTIONS, outbox, idempotency))
_RECORD_REPLY = Record(inserts=(idempotency,))
_TERMS = tuple(field.name for field in fields(Terms))


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the till redeems the voucher on. ``redeemed_at`` is when that happened, in UTC."""

    order_amount: Decimal
    currency: str | None
    order_reference: str | None
    partner_location_id: int | None
    notes: str | None
    redeemed_at: datetime


def redeem(tx: Transaction, *, voucher_id: int, customer: CustomerName, order: Order, act: Act) -> Reply:
    """A new redemption (201), or the one that this order reference stands for (200, ``duplicate``).

    Raises ``NotFound``, ``DuplicateReference``, ``UnknownLocation`` and what ``people.found`` and ``decide`` raise.
    """
    loaded = _load(tx, voucher_id=voucher_id, customer=customer, order=order, act=act)
    reply = stored_reply(loaded, act.request)
    if reply is not None:
        return reply
    profile = people.found(loaded, customer)
    if loaded.earlier_id is not None:
        return _repeat(tx, loaded, order=order, act=act)
    _check_locations(loaded, order)
    discount_amount = decide(
        Terms(**{name: getattr(loaded, name) for name in _TERMS}),
        Uses(in_all=loaded.redemptions_in_all, by_customer=loaded.redemptions_by_customer),
        order_amount=order.order_amount,
        currency=order.currency,
        occurred_at=order.redeemed_at,
    )
    return _record(tx, loaded, _row(loaded, order, discount_amount=discount_amount, act=act), profile=profile, act=act)


def _load(tx: Transaction, *, voucher_id: int, customer: CustomerName, order: Order, act: Act) -> Row[Any]:
    locked = tx.run(LOCK, {"voucher_id": voucher_id})
    rows = tx.run(
        LOAD,
        {
            **customer.parameters,
            "voucher_id": voucher_id,
            "partner_location_id": order.partner_location_id,
            "order_reference": order.order_reference,
            "idempotency_key": act.request.key,
        },
    )
    if not rows:
        raise NotFound
    if len(rows) > 1:
        # The event that says who gave the e-mail up is on its way; until then a till could reach the wrong person.
        raise Unavailable("This e-mail address is passing from one customer to another.")
    if not locked and rows[0].is_limited:
        # The limit was set between our two statements: another till may be at its last use.
        raise Conflict
    loaded: Row[Any] = rows[0]
    return loaded


def _check_locations(loaded: Row[Any], order: Order) -> None:
    """Both locations are in the directory, or their owner is asked; ``UnknownLocation`` if it has none."""
    if loaded.time_zone is None:
        raise MissingFromDirectory(partner_location_id=loaded.partner_location_id, otherwise=UnknownLocation())
    if order.partner_location_id is not None and loaded.sale_location_id is None:
        raise MissingFromDirectory(partner_location_id=order.partner_location_id, otherwise=UnknownLocation())


def _repeat(tx: Transaction, loaded: Row[Any], *, order: Order, act: Act) -> Reply:
    """The redemption that has this order reference, if this is the same one again."""
    earlier = queries.redemption(tx, redemption_id=loaded.earlier_id)
    if (earlier.customer_id, earlier.order_amount) != (loaded.named_id, order.order_amount):
        raise DuplicateReference
    reply = Reply(200, shapes.redemption(earlier._mapping), meta={"duplicate": True})
    _RECORD_REPLY.write(tx, {idempotency: [idempotency_row(act.request, reply, at=act.at)]})
    return reply


def _row(loaded: Row[Any], order: Order, *, discount_amount: Decimal, act: Act) -> dict[str, Any]:
    return {
        **asdict(order),
        "id": loaded.next_id,
        "voucher_id": loaded.id,
        "customer_id": loaded.named_id,
        "voucher_code": loaded.voucher_code,
        "currency": loaded.currency,
        "discount_amount": discount_amount,
        "source": act.source,
        "rolled_back_at": None,
        "created_at": act.at,
    }


def _record(
    tx: Transaction, loaded: Row[Any], redemption: dict[str, Any], *, profile: Mapping[str, Any], act: Act
) -> Reply:
    reply = Reply(201, shapes.redemption(redemption))
    event = VoucherRedeemed(
        redemption=reply.data,
        voucher_name=loaded.name,
        discount_type=loaded.discount_type,
        discount_value=shapes.discount_value(loaded._asdict()),
        customer=profile,
    )
    _RECORD.write(
        tx,
        {
            _REDEMPTIONS: [redemption],
            outbox: [outbox_row(event=event.name, data=event.data(), created_at=act.at)],
            idempotency: [idempotency_row(act.request, reply, at=act.at)],
        },
    )
    return reply
