"""The only writer of vouchers: load, decide, record (nothing to lock: unique constraints decide)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, and_, bindparam, func, literal, select

from loyalty_common.database import Conflict, Transaction
from loyalty_common.directory import MissingFromDirectory
from loyalty_common.idempotency import Reply, idempotency_row, replay_columns, same_key, stored_reply
from loyalty_common.record import Record
from loyalty_vouchers.domain import shapes
from loyalty_vouchers.domain.acts import Act
from loyalty_vouchers.domain.codes import generated_code
from loyalty_vouchers.domain.defining import Definition
from loyalty_vouchers.domain.errors import UnknownLocation, VoucherCodeTaken
from loyalty_vouchers.models import Voucher, directory, idempotency, voucher_ids

_VOUCHERS = Voucher.__table__
_LOCATIONS = directory.locations
_FACTS = select(literal(1).label("one")).subquery("facts")

_LOAD = select(
    voucher_ids.next_value().label("next_id"),
    *replay_columns(idempotency),
    _LOCATIONS.c.partner_location_id.label("home_location_id"),
    _VOUCHERS.c.id.label("voucher_code_holder"),
).select_from(
    _FACTS.outerjoin(idempotency, same_key(idempotency))
    .outerjoin(
        _LOCATIONS,
        and_(
            _LOCATIONS.c.organization_id == bindparam("organization_id"),
            _LOCATIONS.c.partner_location_id == bindparam("partner_location_id"),
        ),
    )
    .outerjoin(
        _VOUCHERS,
        and_(
            _VOUCHERS.c.tenant_id == bindparam("tenant_id"),
            func.lower(_VOUCHERS.c.voucher_code) == func.lower(bindparam("voucher_code")),
        ),
    )
)
_RECORD = Record(inserts=(_VOUCHERS, idempotency))


def create(tx: Transaction, *, definition: Definition, act: Act) -> Reply:
    """A new voucher (201). Raises ``UnknownLocation`` and ``VoucherCodeTaken``, which ignores case."""
    code = definition.voucher_code or generated_code(act.choose)
    loaded = tx.execute(
        _LOAD,
        {
            "idempotency_key": act.request.key,
            "organization_id": act.organization_id,
            "partner_location_id": definition.partner_location_id,
            "voucher_code": code,
        },
    ).one()
    reply = stored_reply(loaded, act.request)
    if reply is not None:
        return reply
    if loaded.home_location_id is None:
        raise MissingFromDirectory(partner_location_id=definition.partner_location_id, otherwise=UnknownLocation())
    if loaded.voucher_code_holder is not None:
        # Our own draw is no mistake of the caller's: run again and draw another.
        raise Conflict if definition.voucher_code is None else VoucherCodeTaken
    voucher = _row(loaded, definition, voucher_code=code, act=act)
    reply = Reply(201, shapes.voucher({**voucher, "redemptions_count": 0}))
    _RECORD.write(tx, {_VOUCHERS: [voucher], idempotency: [idempotency_row(act.request, reply, at=act.at)]})
    return reply


def _row(loaded: Row[Any], definition: Definition, *, voucher_code: str, act: Act) -> dict[str, Any]:
    return {
        **asdict(definition),
        "id": loaded.next_id,
        "organization_id": act.organization_id,
        "voucher_batch_id": None,
        "voucher_code": voucher_code,
        "created_at": act.at,
        "updated_at": act.at,
    }
