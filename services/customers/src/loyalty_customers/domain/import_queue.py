"""Which import a worker works at, and how it leaves it: by a lease, and by a version that fences off the late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, Table, bindparam, case, func, select, tuple_, update

from loyalty_common.database import Transaction
from loyalty_common.record import Record
from loyalty_customers.models import Customer, Import, outbox

LEASE = timedelta(seconds=20)
MOST_ATTEMPTS = 20
_PAUSE = timedelta(seconds=5)
_GIVEN_UP = "The import was given up after a fault of ours. Rows that are not counted here can be imported again."

Taken = Row[Any]
"""An import's columns as they were when this worker took it up."""

_IMPORTS = Import.__table__
_due = (
    select(Import.tenant_id, Import.id)
    .where(Import.due_at <= func.now())
    .order_by(Import.due_at)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_TAKE = (
    update(_IMPORTS)
    .where(tuple_(Import.tenant_id, Import.id).in_(_due))
    .values(
        version=Import.version + 1,
        attempts=Import.attempts + 1,
        due_at=func.now() + LEASE,
        status=case((Import.status == "queued", "running"), else_=Import.status),
        started_at=func.coalesce(Import.started_at, func.now()),
    )
    .returning(*_IMPORTS.columns)
)
_HOLD = (
    select(Import.id)
    .where(
        Import.tenant_id == bindparam("tenant_id"),
        Import.id == bindparam("import_id"),
        Import.version == bindparam("version"),
    )
    .with_for_update()
)
_PROGRESS = (
    *("status", "error", "succeeded", "failed", "created_count", "existing_count"),
    *("recorded_through", "settled_through", "attempts", "due_at", "finished_at"),
)
_RECORD = Record(guard=(_IMPORTS, _PROGRESS), inserts=(Customer.__table__, outbox))


def take(connection: Connection) -> Taken | None:
    """The import that has waited longest is this worker's for the length of the lease, if there is one."""
    return connection.execute(_TAKE).one_or_none()


def holds(tx: Transaction, taken: Taken) -> bool:
    """Locks the import; false if another worker or a cancellation came between: then nothing may be written."""
    held = {"import_id": taken.id, "version": taken.version}
    return tx.execute(_HOLD, held).one_or_none() is not None


def record(
    tx: Transaction,
    taken: Taken,
    progress: Mapping[str, Any],
    rows: Mapping[Table, Sequence[Mapping[str, Any]]] | None = None,
) -> None:
    """Write what was done and give the import back: it is due again at once, after those that wait longer."""
    before = {name: getattr(taken, name) for name in _PROGRESS}
    given_back = {"attempts": 0, "due_at": taken.due_at - LEASE}
    guard = {**before, **given_back, **progress, "id": taken.id, "version": taken.version}
    _RECORD.write(tx, rows or {}, guard=[guard])


def postpone(tx: Transaction, taken: Taken) -> None:
    """Give the import back for later: what it needs is away."""
    record(tx, taken, {"due_at": taken.due_at - LEASE + _PAUSE})


def give_up(tx: Transaction, taken: Taken) -> None:
    """A batch that fails again and again must not be tried for ever."""
    record(tx, taken, {"status": "failed", "error": _GIVEN_UP})
