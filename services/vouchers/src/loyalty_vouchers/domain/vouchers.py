"""The only writer of single vouchers: load, decide, record; a change locks first (``domain/batches`` makes many)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from sqlalchemy import Row, and_, bindparam, func, literal, select

from loyalty_common.database import Conflict, Transaction
from loyalty_common.directory import MissingFromDirectory
from loyalty_common.errors import NotFound
from loyalty_common.idempotency import Reply, idempotency_row, replay_columns, same_key, stored_reply
from loyalty_common.record import Record
from loyalty_vouchers.domain import locks, queries, shapes
from loyalty_vouchers.domain.acts import Act
from loyalty_vouchers.domain.codes import generated_code
from loyalty_vouchers.domain.defining import Definition, check_definition
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
_SETTINGS = tuple(field.name for field in fields(Definition))

_HOLDER = _VOUCHERS.alias("holder")
_LOAD_CHANGED = (
    select(
        _VOUCHERS,
        queries.redemptions_count.label("redemptions_count"),
        *replay_columns(idempotency),
        _LOCATIONS.c.partner_location_id.label("home_location_id"),
        _HOLDER.c.id.label("voucher_code_holder"),
    )
    .select_from(
        _VOUCHERS.outerjoin(idempotency, same_key(idempotency))
        .outerjoin(
            _LOCATIONS,
            and_(
                _LOCATIONS.c.organization_id == _VOUCHERS.c.organization_id,
                _LOCATIONS.c.partner_location_id
                == func.coalesce(bindparam("partner_location_id"), _VOUCHERS.c.partner_location_id),
            ),
        )
        .outerjoin(
            _HOLDER,
            and_(
                _HOLDER.c.tenant_id == bindparam("tenant_id"),
                func.lower(_HOLDER.c.voucher_code) == func.lower(bindparam("voucher_code")),
                _HOLDER.c.id != _VOUCHERS.c.id,
            ),
        )
    )
    .where(_VOUCHERS.c.tenant_id == bindparam("tenant_id"), _VOUCHERS.c.id == bindparam("voucher_id"))
)
_RECORD_CHANGED = Record(changes={_VOUCHERS: (*_SETTINGS, "updated_at")}, inserts=(idempotency,))


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


def change(tx: Transaction, *, voucher_id: int, changes: Mapping[str, Any], act: Act) -> Reply:
    """The voucher with these settings changed (200); what was redeemed stays as it was.

    A limit below what is redeemed already is allowed: nothing more is redeemed then. A ``voucher_code`` of None is a
    new random one. Raises ``NotFound``, ``UnknownLocation``, ``VoucherCodeTaken``, and what ``check_definition``
    raises of the whole.
    """
    tx.run(locks.FOR_CHANGING, {"voucher_id": voucher_id})
    draws = "voucher_code" in changes and changes["voucher_code"] is None
    changed = {**changes, "voucher_code": generated_code(act.choose)} if draws else changes
    loaded = _load_changed(tx, voucher_id=voucher_id, changed=changed, act=act)
    reply = stored_reply(loaded, act.request)
    if reply is not None:
        return reply
    present = Definition(**{name: loaded._mapping[name] for name in _SETTINGS})
    definition = replace(present, **changed)
    check_definition(definition)
    if loaded.home_location_id is None:
        raise MissingFromDirectory(partner_location_id=definition.partner_location_id, otherwise=UnknownLocation())
    if loaded.voucher_code_holder is not None:
        raise Conflict if draws else VoucherCodeTaken
    settings = asdict(definition) | {"updated_at": act.at if definition != present else loaded.updated_at}
    reply = Reply(200, shapes.voucher({**loaded._mapping, **settings}))
    _RECORD_CHANGED.write(
        tx,
        {idempotency: [idempotency_row(act.request, reply, at=act.at)]},
        changes={_VOUCHERS: [{"id": voucher_id, **settings}]},
    )
    return reply


def _load_changed(tx: Transaction, *, voucher_id: int, changed: Mapping[str, Any], act: Act) -> Row[Any]:
    wanted = {name: changed.get(name) for name in ("partner_location_id", "voucher_code")}
    parameters = {**wanted, "voucher_id": voucher_id, "idempotency_key": act.request.key}
    loaded = tx.execute(_LOAD_CHANGED, parameters).one_or_none()
    if loaded is None:
        raise NotFound
    return loaded
