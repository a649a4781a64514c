"""The record step: everything a decision changes, written by one data-modifying CTE.

    with guard as (update … where id = … and version = … returning 1),
         held as (select count(*) = <how many> as whole from guard),
         point_transactions as (insert … select … from json_to_recordset(…), held where held.whole),
         outbox as (insert …), idempotency as (insert …)
    select count(*) from guard

Rows go in as one JSON array per table, so a statement is built once at import and has the same shape
for no row and for a hundred. Measured against one bind per column: docs/decisions/0002-record-step.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import (
    CTE,
    JSON,
    BigInteger,
    ColumnElement,
    Select,
    Table,
    TableValuedAlias,
    bindparam,
    column,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.sql.dml import Update

from loyalty_common.database import Conflict, Rendered, Transaction

Row = Mapping[str, Any]
_GIVEN = "given"


class Record:
    """A record statement for one kind of operation.

    ``guard``: the locked table and the columns that are set on it; its rows are found by ``tenant_id`` and
    ``id`` and must still have the ``version`` they were loaded at, which is counted up. ``None`` where
    nothing is locked and unique constraints decide.
    ``changes``: further tables whose rows, found by id under the same lock, get new values.
    ``inserts``: tables that receive rows; ``tenant_id`` comes from the transaction, columns with a server
    default are left to it. No row may be named twice in one call: PostgreSQL would silently drop one.
    """

    def __init__(
        self,
        *,
        guard: tuple[Table, Sequence[str]] | None = None,
        changes: Mapping[Table, Sequence[str]] | None = None,
        inserts: Sequence[Table] = (),
    ) -> None:
        self._guarded = guard is not None
        self._changed = {table: frozenset(("id", *columns)) for table, columns in (changes or {}).items()}
        self._inserted = {table: frozenset(_recorded(table)) for table in inserts}
        self._statement = Rendered(_statement(guard, changes or {}, inserts))

    def write(
        self,
        tx: Transaction,
        rows: Mapping[Table, Sequence[Row]],
        *,
        guard: Sequence[Row] = (),
        changes: Mapping[Table, Sequence[Row]] | None = None,
    ) -> None:
        """Write all or nothing; ``Conflict`` if a guarded row changed since it was loaded.

        ``rows`` are inserted. A guard row: ``id``, ``version`` (as loaded) and the columns being set.
        A row of ``changes``: ``id`` and the columns being set. A table may both change and receive rows.
        """
        parameters: dict[str, Any] = {"guard_count": len(guard), "guard_rows": _json(guard)} if self._guarded else {}
        parameters |= _recordsets("rows_of", self._inserted, rows)
        parameters |= _recordsets("changes_of", self._changed, changes or {})
        [(held,)] = tx.run(self._statement, parameters)
        if held != len(guard):
            raise Conflict


def _recordsets(
    prefix: str, allowed: Mapping[Table, frozenset[str]], named: Mapping[Table, Sequence[Row]]
) -> dict[str, str]:
    for table, rows in named.items():
        for row in rows:
            if not row.keys() <= allowed[table]:
                raise KeyError(f"{table.name} has no {sorted(row.keys() - allowed[table])} to be recorded")
    return {f"{prefix}_{table.name}": _json(named.get(table, ())) for table in allowed}


def _json(rows: Sequence[Row]) -> str:
    return orjson.dumps(rows, default=str).decode()


def _statement(
    guard: tuple[Table, Sequence[str]] | None, changes: Mapping[Table, Sequence[str]], inserts: Sequence[Table]
) -> Select[Any]:
    held_all = None
    ctes: list[CTE] = []
    counted: Select[Any] = select(literal_column("0"))
    if guard is not None:
        table, columns = guard
        guarded = _update(
            table, columns, source=_recordset(table, "guard_rows", ("id", "version", *columns)), versioned=True
        )
        guards = guarded.returning(literal_column("1")).cte("guard")
        counted = select(func.count()).select_from(guards)
        held = select((func.count() == bindparam("guard_count")).label("whole")).select_from(guards).cte("held")
        held_all = held.c.whole
        ctes = [guards, held]
    for table, columns in changes.items():
        source = _recordset(table, f"changes_of_{table.name}", ("id", *columns))
        change = _update(table, columns, source=source, versioned=False)
        ctes.append((change if held_all is None else change.where(held_all)).cte(f"change_{table.name}"))
    for table in inserts:
        names = _recorded(table)
        source = _recordset(table, f"rows_of_{table.name}", names)
        # The recordset's columns are these very names, in this order. Named once more they would make some statements
        # longer than the 4,096 characters up to which psycopg remembers how it read one.
        given: ColumnElement[Any] = literal_column(f"{_GIVEN}.*")
        rows: Select[Any] = select(bindparam("tenant_id", type_=BigInteger), given).select_from(source)
        rows = rows if held_all is None else rows.where(held_all)
        insert = table.insert().from_select(["tenant_id", *names], rows, include_defaults=False)
        ctes.append(insert.cte(f"insert_{table.name}"))
    return counted.add_cte(*ctes)


def _update(table: Table, columns: Sequence[str], *, source: TableValuedAlias, versioned: bool) -> Update:
    statement = (
        update(table)
        .where(table.c.tenant_id == bindparam("tenant_id"), table.c.id == source.c.id)
        .values({name: source.c[name] for name in columns})
    )
    if versioned:
        statement = statement.where(table.c.version == source.c.version).values(
            version=table.c.version + literal_column("1")
        )
    return statement


def _recorded(table: Table) -> list[str]:
    return [col.name for col in table.columns if col.name != "tenant_id" and col.server_default is None]


def _recordset(table: Table, parameter: str, names: Sequence[str]) -> TableValuedAlias:
    return (
        func.json_to_recordset(bindparam(parameter, type_=JSON))
        .table_valued(*(column(name, table.c[name].type) for name in names))
        .render_derived(name=_GIVEN, with_types=True)
    )
