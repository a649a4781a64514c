"""The only writer of redemptions: lock, load, decide, record.

No column of the voucher changes, so *record* has no version to guard: what was locked stays so until the COMMIT.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Row

from loyalty_common.database import Conflict, Transaction
from loyalty_common.idempotency import Reply, idempotency_row, stored_reply
from loyalty_common.messaging.outbox import outbox_row
from loyalty_common.record import Record
from loyalty_vouchers.domain import judging, people, queries, shapes
from loyalty_vouchers.domain.acts import Act
from loyalty_vouchers.domain.errors import DuplicateReference
from loyalty_vouchers.domain.facts import VoucherName
from loyalty_vouchers.domain.judging import Purchase
from loyalty_vouchers.domain.people import CustomerName
from loyalty_vouchers.events import VoucherRedeemed
from loyalty_vouchers.models import Redemption, idempotency, outbox

_REDEMPTIONS = Redemption.__table__
_RECORD = Record(inserts=(_REDEMPTIONS, outbox, idempotency))
_RECORD_REPLY = Record(inserts=(idempotency,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(Purchase):
    """A purchase that is recorded."""

    order_reference: str | None
    notes: str | None


def redeem(tx: Transaction, *, voucher: VoucherName, customer: CustomerName, order: Order, act: Act) -> Reply:
    """A new redemption (201), or the one that this order reference stands for (200, ``duplicate``).

    Raises ``NotFound`` or ``UnknownVoucherCode``, ``DuplicateReference``, and what ``people.found`` and
    ``judging.discount_for`` raise.
    """
    loaded = _load(tx, voucher=voucher, customer=customer, order=order, act=act)
    reply = stored_reply(loaded, act.request)
    if reply is not None:
        return reply
    profile = people.found(loaded, customer)
    if loaded.earlier_id is not None:
        return _repeat(tx, loaded, order=order, act=act)
    discount_amount = judging.discount_for(loaded, order)
    return _record(tx, loaded, _row(loaded, order, discount_amount=discount_amount, act=act), profile=profile, act=act)


def _load(tx: Transaction, *, voucher: VoucherName, customer: CustomerName, order: Order, act: Act) -> Row[Any]:
    locked = tx.run(voucher.statements.lock, voucher.parameters)
    rows = tx.run(
        voucher.statements.load,
        {
            **voucher.parameters,
            **customer.parameters,
            "partner_location_id": order.partner_location_id,
            "order_reference": order.order_reference,
            "idempotency_key": act.request.key,
        },
    )
    if not rows:
        raise voucher.unknown
    loaded = judging.only_one(rows)
    if [(loaded.id, loaded.is_limited)] != [(held.id, held.is_limited) for held in locked]:
        # It was changed between our two statements: what we hold is not the lock of what we see.
        raise Conflict
    return loaded


def _repeat(tx: Transaction, loaded: Row[Any], *, order: Order, act: Act) -> Reply:
    """The redemption that has this order reference, if this is the same one again."""
    earlier = queries.redemption(tx, redemption_id=loaded.earlier_id)
    if earlier.rolled_back_at is not None:
        # Since we loaded it: a rollback does not wait for the voucher. Its order reference is free again.
        raise Conflict
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
