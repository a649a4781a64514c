"""``python -m benchmarks.record_shapes``: the ways in which the rows of *record* can go in, side by side.

The same purchases in the same data-modifying CTE, in three shapes: JSON recordsets as ``loyalty_common.record`` writes
them, a parameter per value, and an array per column through ``unnest``. One connection; commits do not wait for the
disk. The client's own time is told apart, because it is what bounds a worker. docs/decisions/0002-record-step.md
"""

from __future__ import annotations

import itertools
import statistics
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, Table
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from benchmarks import stage
from benchmarks.pace import Pace
from loyalty_common.database import Transaction, create_engine, transaction
from loyalty_common.idempotency import Reply, RequestKey, idempotency_row
from loyalty_common.messaging.outbox import outbox_row
from loyalty_common.record import Record
from loyalty_programs.models import enrollments, idempotency, outbox, points_transactions

Row = Mapping[str, Any]
Rows = Mapping[Table, Sequence[Row]]
Purchases = Iterator[tuple[Row, Rows]]
Write = Callable[[Transaction, Row, Rows], Any]

_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]
_TABLES = (points_transactions, outbox, idempotency)
_RECORD = Record(guard=(enrollments, ("points_balance", "updated_at")), inserts=_TABLES)


def main() -> None:
    pace = Pace.of_environment()
    with stage.suite_running() as suite:
        merchant = stage.merchant_of(suite)
        stage.stop_all_but(suite, "postgres")
        stage.configure_postgres(suite, "synchronous_commit", "off")
        with stage.database(suite, "programs") as programs:
            found = programs.execute("select id, customer_id from enrollments where version = 1").fetchall()
        # Everybody's turn comes again when all have had theirs, and their row is one version further then.
        members = ((*member, version) for version in itertools.count(1) for member in found)
        engine = create_engine(suite.layout.database_urls["programs"], pool_size=1, application_name="record shapes")
        print(f"{'shape':24}{'rows':>6}{'transactions/s':>18}{'client µs':>12}")
        for count in (1, 20):
            purchases = _purchases(merchant.card_id, members, count)
            for name, rate, client_us in _compare(engine, merchant.tenant_id, purchases, pace):
                print(f"{name:24}{count:>6}{rate:>18,.0f}{client_us:>12,.0f}", flush=True)


def _json_recordsets(tx: Transaction, guard: Row, rows: Rows) -> None:
    _RECORD.write(tx, rows, guard=[guard])


def _parameter_per_value(tx: Transaction, guard: Row, rows: Rows) -> Any:
    parameters: dict[str, Any] = {"tenant_id": tx.tenant_id, **guard}
    sources = {}
    for table, of_table in rows.items():
        types = _types(table)
        names = [[(f"{table.name}_{number}_{column}", column) for column in types] for number in range(len(of_table))]
        lists = (", ".join(f"%({name})s::{types[column]}" for name, column in of_row) for of_row in names)
        sources[table] = f"(values {', '.join(f'({values})' for values in lists)})"
        for of_row, row in zip(names, of_table, strict=True):
            parameters |= {name: row[column] for name, column in of_row}
    return tx.connection.exec_driver_sql(_statement(sources), parameters).scalar_one()


def _unnest(tx: Transaction, guard: Row, rows: Rows) -> Any:
    parameters: dict[str, Any] = {"tenant_id": tx.tenant_id, **guard}
    for table, of_table in rows.items():
        parameters |= {f"{table.name}_{column}": [row[column] for row in of_table] for column in _types(table)}
    return tx.connection.exec_driver_sql(_UNNEST, parameters).scalar_one()


def _statement(sources: Mapping[Table, str]) -> str:
    inserts = (
        f"insert_{table.name} as (insert into {table.name} (tenant_id, {', '.join(_types(table))})"
        f" select %(tenant_id)s::bigint, given.* from {source} as given where (select count(*) from guard) = 1)"
        for table, source in sources.items()
    )
    return (
        "with guard as (update enrollments set points_balance = %(points_balance)s::bigint,"
        " updated_at = %(updated_at)s::timestamptz, version = version + 1"
        " where tenant_id = %(tenant_id)s::bigint and id = %(id)s::bigint and version = %(version)s::bigint"
        f" returning 1), {', '.join(inserts)} select count(*) from guard"
    )


def _types(table: Table) -> Mapping[str, str]:
    return _TYPES[table]


_TYPES = {
    table: {
        column.name: column.type.compile(_DIALECT)
        for column in table.columns
        if column.name != "tenant_id" and column.server_default is None
    }
    for table in _TABLES
}
_UNNEST = _statement(
    {
        table: f"unnest({', '.join(f'%({table.name}_{column})s::{kind}[]' for column, kind in types.items())})"
        for table, types in _TYPES.items()
    }
)
_SHAPES: Mapping[str, Write] = {
    "JSON recordsets": _json_recordsets,
    "parameter per value": _parameter_per_value,
    "array per column": _unnest,
}


def _compare(engine: Engine, tenant_id: int, purchases: Purchases, pace: Pace) -> Iterator[tuple[str, float, float]]:
    """The medians of each shape, which take turns."""
    rounds = [
        {name: _run(engine, tenant_id, write, purchases, pace.seconds) for name, write in _SHAPES.items()}
        for _ in range(pace.rounds)
    ]
    for name in _SHAPES:
        rate, client_us = (statistics.median(figures) for figures in zip(*(run[name] for run in rounds), strict=True))
        yield name, rate, client_us


def _run(engine: Engine, tenant_id: int, write: Write, purchases: Purchases, seconds: float) -> tuple[float, float]:
    """Transactions per second, and microseconds of this process's own work in each."""
    done, own_s, began = 0, 0.0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        guard, rows = next(purchases)
        own = time.thread_time()
        with transaction(engine, tenant_id) as tx:
            write(tx, guard, rows)
        own_s += time.thread_time() - own
        done += 1
    return done / (time.perf_counter() - began), own_s / done * 1e6


def _purchases(card_id: int, members: Iterator[tuple[int, int, int]], count: int) -> Purchases:
    """``count`` ledger rows each, with as many events and one reply."""
    ids = itertools.count(10**9 * count)
    for enrollment_id, customer_id, version in members:
        now = datetime.now(UTC)
        of = {"loyalty_card_id": card_id, "enrollment_id": enrollment_id, "customer_id": customer_id}
        booked = [_booked(next(ids), of, now) for _ in range(count)]
        data = {"id": booked[-1]["id"], "points_delta": 2, "customer": {"id": customer_id, "email": "c@example.com"}}
        key = RequestKey(f"client:{uuid.uuid4()}", "0" * 64)
        rows: Rows = {
            points_transactions: booked,
            outbox: [outbox_row(event="loyalty.points_earned", data=data, created_at=now) for _ in booked],
            idempotency: [idempotency_row(key, Reply(201, data), at=now)],
        }
        yield {"id": enrollment_id, "version": version, "points_balance": 2, "updated_at": now}, rows


def _booked(row_id: int, of: Row, now: datetime) -> Row:
    points = {"type": "earn", "points_delta": 2, "points_balance_after": 2, "points_remaining": 2}
    paid = {"amount": "24.50", "currency": "USD", "notes": "Counter sale", "source": "api"}
    sale = {"operation": "transactions", "reference": f"POS-{row_id}", "occurred_at": now, "recorded_at": now}
    return {**dict.fromkeys(_types(points_transactions)), **of, **points, **paid, **sale, "id": row_id}


if __name__ == "__main__":
    main()
