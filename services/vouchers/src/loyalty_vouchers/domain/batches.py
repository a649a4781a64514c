"""The only writer of batches: load, decide, record, and then its vouchers, in the same transaction.

All or nothing: a batch that can be seen has all of its vouchers, also after kill -9.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Text, and_, bindparam, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from loyalty_common.database import Transaction
from loyalty_common.directory import MissingFromDirectory
from loyalty_common.idempotency import Reply, idempotency_row, replay_columns, same_key, stored_reply
from loyalty_common.record import Record
from loyalty_vouchers.domain import shapes
from loyalty_vouchers.domain.acts import Act
from loyalty_vouchers.domain.codes import generated_code, least_length
from loyalty_vouchers.domain.defining import Definition, check_definition
from loyalty_vouchers.domain.errors import CodesTooShort, CodesUsedUp, UnknownLocation
from loyalty_vouchers.models import Voucher, VoucherBatch, directory, idempotency, voucher_batch_ids, voucher_ids

_BATCHES = VoucherBatch.__table__
_VOUCHERS = Voucher.__table__
_LOCATIONS = directory.locations
_FACTS = select(literal(1).label("one")).subquery("facts")
# Enough for codes of which three in four are taken already.
_ROUNDS = 50

_LOAD = select(
    voucher_batch_ids.next_value().label("next_id"),
    *replay_columns(idempotency),
    _LOCATIONS.c.partner_location_id.label("home_location_id"),
).select_from(
    _FACTS.outerjoin(idempotency, same_key(idempotency)).outerjoin(
        _LOCATIONS,
        and_(
            _LOCATIONS.c.organization_id == bindparam("organization_id"),
            _LOCATIONS.c.partner_location_id == bindparam("partner_location_id"),
        ),
    )
)
_RECORD = Record(inserts=(_BATCHES, idempotency))

# Every column that a voucher has in common with its batch is taken over from it.
_OWN: dict[str, ColumnElement[Any]] = {
    "id": voucher_ids.next_value(),
    "voucher_batch_id": _BATCHES.c.id,
    "voucher_code": func.unnest(bindparam("voucher_codes", type_=ARRAY(Text))),
    "updated_at": _BATCHES.c.created_at,
}
_COLUMNS: dict[str, ColumnElement[Any]] = {
    column.name: _OWN[column.name] if column.name in _OWN else _BATCHES.c[column.name] for column in _VOUCHERS.columns
}
_FILL = (
    insert(_VOUCHERS)
    .from_select(
        list(_COLUMNS),
        select(*_COLUMNS.values()).where(
            _BATCHES.c.tenant_id == bindparam("tenant_id"), _BATCHES.c.id == bindparam("voucher_batch_id")
        ),
        include_defaults=False,
    )
    .on_conflict_do_nothing()
    .execution_options(preserve_rowcount=True)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """``quantity`` codes of ``length`` random characters after ``prefix``."""

    quantity: int
    prefix: str | None
    length: int


def create(tx: Transaction, *, definition: Definition, codes: Codes, act: Act) -> Reply:
    """A new batch with all of its vouchers (201); ``definition`` is that of each, without a code.

    Raises ``CodesTooShort``, ``CodesUsedUp``, ``UnknownLocation``, and what ``check_definition`` raises.
    """
    loaded = _load(tx, definition, act)
    reply = stored_reply(loaded, act.request)
    if reply is not None:
        return reply
    check_definition(definition)
    enough = least_length(codes.quantity)
    if codes.length < enough:
        raise CodesTooShort(codes.length, quantity=codes.quantity, enough=enough)
    if loaded.home_location_id is None:
        raise MissingFromDirectory(partner_location_id=definition.partner_location_id, otherwise=UnknownLocation())
    batch = _row(loaded.next_id, definition, codes, act)
    reply = Reply(201, shapes.batch(batch))
    _RECORD.write(tx, {_BATCHES: [batch], idempotency: [idempotency_row(act.request, reply, at=act.at)]})
    _fill(tx, voucher_batch_id=loaded.next_id, codes=codes, act=act)
    return reply


def _load(tx: Transaction, definition: Definition, act: Act) -> Row[Any]:
    return tx.execute(
        _LOAD,
        {
            "idempotency_key": act.request.key,
            "organization_id": act.organization_id,
            "partner_location_id": definition.partner_location_id,
        },
    ).one()


def _row(batch_id: int, definition: Definition, codes: Codes, act: Act) -> dict[str, Any]:
    settings = asdict(definition)
    del settings["voucher_code"]
    return {
        **settings,
        "id": batch_id,
        "organization_id": act.organization_id,
        "quantity": codes.quantity,
        "code_prefix": codes.prefix,
        "code_length": codes.length,
        "created_at": act.at,
    }


def _fill(tx: Transaction, *, voucher_batch_id: int, codes: Codes, act: Act) -> None:
    """Draws until every voucher has a code that is nobody else's, also of those that others draw at this moment."""
    missing = codes.quantity
    for _ in range(_ROUNDS):
        drawn = {generated_code(act.choose, prefix=codes.prefix or "", length=codes.length) for _ in range(missing)}
        # Sorted: neighbours go onto the same pages of the index, and two batches never wait for each other crosswise.
        parameters = {"voucher_batch_id": voucher_batch_id, "voucher_codes": sorted(drawn)}
        missing -= tx.execute(_FILL, parameters).rowcount
        if not missing:
            return
    raise CodesUsedUp
