"""Reads of imports and of the rows that failed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine, Row, Select, bindparam, select

from loyalty_common.database import Transaction, transaction
from loyalty_customers.models import Import, ImportRow

_PIECE = 1_000
NEWEST_FIRST = (Import.created_at, Import.id)
_ALL = select(Import.__table__).where(Import.tenant_id == bindparam("tenant_id"))
_BY_ID = _ALL.where(Import.id == bindparam("import_id"))
_FAILED = (
    select(ImportRow.row_number, ImportRow.content, ImportRow.errors)
    .where(
        ImportRow.tenant_id == bindparam("tenant_id"),
        ImportRow.import_id == bindparam("import_id"),
        ImportRow.row_number > bindparam("after"),
        ImportRow.failed_at.is_not(None),
    )
    .order_by(ImportRow.row_number)
    .limit(_PIECE)
)


def by_id(tx: Transaction, *, import_id: int) -> Row[Any] | None:
    return tx.execute(_BY_ID, {"import_id": import_id}).one_or_none()


def all_imports() -> Select[Any]:
    return _ALL


def failed_rows(engine: Engine, tenant_id: int, *, import_id: int) -> Iterator[Row[Any]]:
    """In the file's order, read in short transactions: a slow reader holds none open."""
    after = 0
    while True:
        with transaction(engine, tenant_id) as tx:
            rows = tx.execute(_FAILED, {"import_id": import_id, "after": after}).all()
        yield from rows
        if len(rows) < _PIECE:
            return
        after = rows[-1].row_number
