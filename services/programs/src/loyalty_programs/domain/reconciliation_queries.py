"""Reads of reconciliations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, bindparam, func, select

from loyalty_common.database import Transaction
from loyalty_programs.domain import shapes
from loyalty_programs.domain.reconciling import STATUSES
from loyalty_programs.models import reconciliation_entries, reconciliations

_TENANT = bindparam("tenant_id", type_=BigInteger)
_entry = reconciliation_entries.c
_ITS_ENTRIES = (_entry.tenant_id == _TENANT, _entry.reconciliation_id == reconciliations.c.id)

RECONCILIATIONS_NEWEST = (reconciliations.c.created_at, reconciliations.c.id)
ENTRIES_NEWEST = (_entry.created_at, _entry.position)


def _count(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count().filter(*conditions)


_counts = (
    select(
        func.json_build_object(
            *(part for status in STATUSES for part in (status, _count(_entry.status == status))),
            "applied",
            _count(_entry.applied_transaction_id.is_not(None)),
            "failed",
            _count(_entry.error.is_not(None)),
        )
    )
    .where(*_ITS_ENTRIES)
    .correlate(reconciliations)
    .scalar_subquery()
)
_ALL = select(reconciliations, _counts.label("counts")).where(reconciliations.c.tenant_id == _TENANT)
_ONE = _ALL.where(reconciliations.c.id == bindparam("reconciliation_id"))
_IS_THERE = _ONE.with_only_columns(reconciliations.c.id)
_ENTRIES = select(reconciliation_entries).where(
    _entry.tenant_id == _TENANT, _entry.reconciliation_id == bindparam("reconciliation_id", type_=BigInteger)
)
_IN_ORDER = _ENTRIES.order_by(_entry.position)


def reconciliation(tx: Transaction, *, reconciliation_id: int) -> dict[str, Any] | None:
    """As it is shown, with its entries in the order in which they were sent."""
    named = {"reconciliation_id": reconciliation_id}
    row = tx.execute(_ONE, named).one_or_none()
    if row is None:
        return None
    return _shown(row, entries=[entry._asdict() for entry in tx.execute(_IN_ORDER, named)])


def exists(tx: Transaction, *, reconciliation_id: int) -> bool:
    return tx.execute(_IS_THERE, {"reconciliation_id": reconciliation_id}).first() is not None


def all_reconciliations() -> Select[Any]:
    return _ALL


def shown_in_list(row: Any) -> dict[str, Any]:
    return _shown(row, entries=None)


def entries(filters: Mapping[str, Any]) -> Select[Any]:
    """Those of one reconciliation, which is a parameter."""
    return _ENTRIES if filters["status"] is None else _ENTRIES.where(_entry.status == filters["status"])


def _shown(row: Any, *, entries: Any) -> dict[str, Any]:
    counts = {status: row.counts[status] for status in STATUSES}
    return shapes.reconciliation(row._asdict(), counts=counts, job=row.counts, entries=entries)
