"""Tills that were offline compare their receipts with the ledger, and have the missing ones posted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, exists, func, literal, literal_column, select, update
from sqlalchemy.types import BigInteger

from loyalty_common.database import Rendered, Transaction
from loyalty_common.errors import NotFound
from loyalty_common.idempotency import Reply, idempotency_row, replay_columns, same_key, stored_reply
from loyalty_common.record import Record
from loyalty_programs.domain import reconciliation_facts, reconciliation_queries, reconciling, shapes
from loyalty_programs.domain.acts import Act
from loyalty_programs.domain.errors import EntryCustomersDiffer, UnknownLoyaltyCard
from loyalty_programs.domain.reconciling import SentEntry
from loyalty_programs.models import (
    idempotency,
    loyalty_cards,
    reconciliation_entries,
    reconciliation_ids,
    reconciliations,
)

Columns = dict[str, Any]
_TENANT = bindparam("tenant_id", type_=BigInteger)
_START = select(literal(1).label("one")).subquery("start")
_LOAD_NEW = select(
    *replay_columns(idempotency),
    loyalty_cards.c.id.label("card_id"),
    reconciliation_ids.next_value().label("id"),
).select_from(
    _START.outerjoin(idempotency, same_key(idempotency)).outerjoin(
        loyalty_cards,
        and_(loyalty_cards.c.tenant_id == _TENANT, loyalty_cards.c.id == bindparam("card_id", type_=BigInteger)),
    )
)
_RECORD_NEW = Record(inserts=(reconciliations, reconciliation_entries, idempotency))

_IS_RECONCILIATION = and_(
    reconciliations.c.tenant_id == _TENANT,
    reconciliations.c.id == bindparam("reconciliation_id", type_=BigInteger),
)
_ENTRIES = and_(
    reconciliation_entries.c.tenant_id == _TENANT,
    reconciliation_entries.c.reconciliation_id == bindparam("reconciliation_id", type_=BigInteger),
)
IS_OPEN = and_(
    reconciliation_entries.c.status == literal_column("'missing'"),
    reconciliation_entries.c.applied_transaction_id.is_(None),
    reconciliation_entries.c.error.is_(None),
)
_LOCK = select(reconciliations.c.id).where(_IS_RECONCILIATION).with_for_update(key_share=True)
_LOAD = select(
    *replay_columns(idempotency),
    *reconciliations.c,
    exists().where(_ENTRIES, IS_OPEN).label("is_open"),
).select_from(_START.outerjoin(idempotency, same_key(idempotency)).outerjoin(reconciliations, _IS_RECONCILIATION))
_RECORD_STATUS = Record(guard=(reconciliations, ("status", "applying_at", "applied_at")))
_refused = (
    update(reconciliation_entries)
    .where(
        _ENTRIES,
        IS_OPEN,
        reconciliation_entries.c.customer_id.is_(None),
        reconciliation_entries.c.customer_email.is_(None),
    )
    .values(error=literal_column("'customer_not_named'"))
    .returning(literal_column("1"))
    .cte("refused")
)
_REFUSE_NAMELESS = Rendered(select(func.count()).select_from(_refused))
_RECORD_REPLY = Record(inserts=(idempotency,))


@dataclass(frozen=True, slots=True)
class Window:
    """Purchases from ``from_at`` on and before ``to_at``."""

    from_at: datetime
    to_at: datetime


def create(tx: Transaction, *, card_id: int, window: Window, entries: Sequence[SentEntry], act: Act) -> Reply:
    """The entries beside the ledger, compared now and kept (201). Nothing is posted."""
    loaded = tx.execute(_LOAD_NEW, {"card_id": card_id, **act.parameters}).one()
    reply = stored_reply(loaded, act.request)
    if reply is not None:
        return reply
    if loaded.card_id is None:
        raise UnknownLoyaltyCard
    row = {
        **asdict(window),
        "id": loaded.id,
        "organization_id": act.organization_id,
        "loyalty_card_id": card_id,
        "source": act.source,
        "status": "compared",
        "created_at": act.at,
        "applying_at": None,
        "applied_at": None,
    }
    compared = [*_sent(tx, card_id, entries), *_others(tx, card_id, entries, window)]
    common = {"reconciliation_id": loaded.id, "applied_transaction_id": None, "error": None, "created_at": act.at}
    rows = [{**common, **entry, "position": position} for position, entry in enumerate(compared)]
    counts = reconciling.counts(entry["status"] for entry in rows)
    reply = Reply(201, shapes.reconciliation(row, counts=counts, job={}, entries=rows))
    stored = idempotency_row(act.request, reply, at=act.at)
    _RECORD_NEW.write(tx, {reconciliations: [row], reconciliation_entries: rows, idempotency: [stored]})
    return reply


def _sent(tx: Transaction, card_id: int, entries: Sequence[SentEntry]) -> Iterator[Columns]:
    beside = reconciliation_facts.beside_ledger(tx, card_id=card_id, entries=entries)
    named = [(entry.customer_id, known_id) for entry, (_, known_id) in zip(entries, beside, strict=True)]
    differing = [position for position, pair in enumerate(named) if None not in pair and len({*pair}) > 1]
    if differing:
        raise EntryCustomersDiffer(differing)
    for entry, (recorded, known_id) in zip(entries, beside, strict=True):
        named_id = entry.customer_id or known_id
        # The address of somebody whom we know is never kept.
        needed = recorded is None and known_id is None
        yield {
            **asdict(entry),
            "status": reconciling.compare(entry, recorded),
            "recorded_amount": recorded.amount if recorded else None,
            "recorded_currency": recorded.currency if recorded else None,
            "customer_id": recorded.customer_id if recorded else named_id,
            "customer_email": entry.customer_email if needed else None,
            "transaction_id": recorded.transaction_id if recorded else None,
        }


def _others(tx: Transaction, card_id: int, entries: Sequence[SentEntry], window: Window) -> Iterator[Columns]:
    for row in reconciliation_facts.others(tx, card_id=card_id, entries=entries, **asdict(window)):
        yield {
            "reference": row.reference,
            "status": "not_in_request",
            "amount": None,
            "currency": row.currency,
            "recorded_amount": row.amount,
            "recorded_currency": row.currency,
            "customer_id": row.customer_id,
            "customer_email": None,
            "occurred_at": row.occurred_at,
            "transaction_id": row.id,
        }


def begin(tx: Transaction, *, reconciliation_id: int, act: Act) -> Reply | Any:
    """From now on its missing entries are applied, by whoever comes: the row, or the reply that this request got."""
    loaded = _lock_and_load(tx, reconciliation_id=reconciliation_id, act=act)
    if isinstance(loaded, Reply) or loaded.status != "compared":
        return loaded
    tx.run(_REFUSE_NAMELESS, {"reconciliation_id": reconciliation_id})
    _write_status(tx, loaded, status="applying", applying_at=act.at)
    return loaded


def report(tx: Transaction, *, reconciliation_id: int, act: Act) -> Reply:
    """The reconciliation as it is now (200); what is still to be applied is applied later."""
    loaded = _lock_and_load(tx, reconciliation_id=reconciliation_id, act=act)
    if isinstance(loaded, Reply):
        return loaded
    _finish(tx, loaded, at=act.at)
    shown = reconciliation_queries.reconciliation(tx, reconciliation_id=reconciliation_id)
    reply = Reply(200, shown)
    _RECORD_REPLY.write(tx, {idempotency: [idempotency_row(act.request, reply, at=act.at)]})
    return reply


def finish(tx: Transaction, *, reconciliation_id: int, at: datetime) -> bool:
    """Whether this was the last thing to do: no entry is open, and it is applied now."""
    tx.execute(_LOCK, {"reconciliation_id": reconciliation_id})
    loaded = tx.execute(_LOAD, {"reconciliation_id": reconciliation_id, "idempotency_key": None}).one()
    return _finish(tx, loaded, at=at)


def _finish(tx: Transaction, loaded: Any, *, at: datetime) -> bool:
    if loaded.status != "applying" or loaded.is_open:
        return False
    _write_status(tx, loaded, status="applied", applying_at=loaded.applying_at, applied_at=at)
    return True


def _write_status(
    tx: Transaction, loaded: Any, *, status: str, applying_at: datetime, applied_at: datetime | None = None
) -> None:
    columns = {"status": status, "applying_at": applying_at, "applied_at": applied_at}
    _RECORD_STATUS.write(tx, {}, guard=[{"id": loaded.id, "version": loaded.version, **columns}])


def _lock_and_load(tx: Transaction, *, reconciliation_id: int, act: Act) -> Any | Reply:
    named = {"reconciliation_id": reconciliation_id}
    tx.execute(_LOCK, named)
    loaded = tx.execute(_LOAD, {**named, **act.parameters}).one()
    if loaded.id is None:
        raise NotFound
    return stored_reply(loaded, act.request) or loaded
