"""An import's rows, a batch at a time; where a worker is killed, another one goes on.

Each batch is one transaction: customers, events, rows and counts together. Opening balances are asked for between
two transactions, and are idempotent.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import JSON, BigInteger, DateTime, and_, any_, bindparam, cast, column, delete, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Text

from loyalty_common.database import Rendered, Transaction
from loyalty_customers.domain import customers, emails, import_queue, importing, queries
from loyalty_customers.domain.import_queue import Taken
from loyalty_customers.domain.importing import ERASED, Outcome, Waiting
from loyalty_customers.models import Customer, ImportRow, customer_ids, outbox

_BATCH = 500
_SWEEP = 5_000

_ROWS, _CUSTOMERS = ImportRow.__table__, Customer.__table__
_OF_IMPORT = and_(ImportRow.tenant_id == bindparam("tenant_id"), ImportRow.import_id == bindparam("import_id"))
_WAITING = and_(_OF_IMPORT, ImportRow.row_number > bindparam("recorded_through"))
_waiting = (
    select(ImportRow.row_number, ImportRow.content, ImportRow.email_key)
    .where(_WAITING)
    .order_by(ImportRow.row_number)
    .limit(_BATCH)
    .subquery("waiting")
)
_has_its_email = and_(Customer.tenant_id == bindparam("tenant_id"), Customer.email_key == _waiting.c.email_key)
_LOAD = (
    select(
        _waiting.c.row_number.label("number"),
        _waiting.c.content,
        _waiting.c.email_key,
        Customer.id.label("customer_id"),
        customer_ids.next_value().label("next_id"),
    )
    .select_from(_waiting.outerjoin(_CUSTOMERS, _has_its_email))
    .order_by(_waiting.c.row_number)
)
# Erased ones too: with "erased_at is null" PostgreSQL, until it has counted, reads all of a tenant for every row.
_is_its_customer = and_(Customer.tenant_id == bindparam("tenant_id"), Customer.id == ImportRow.customer_id)
_LOAD_OPENINGS = (
    select(ImportRow.row_number, ImportRow.content, *_CUSTOMERS.columns)
    .select_from(_ROWS.outerjoin(_CUSTOMERS, _is_its_customer))
    .where(
        _OF_IMPORT,
        ImportRow.row_number > bindparam("settled_through"),
        ImportRow.row_number <= bindparam("recorded_through"),
        ImportRow.failed_at.is_(None),
    )
    .order_by(ImportRow.row_number)
)
_given = (
    func.json_to_recordset(cast(bindparam("rows", type_=Text), JSON))
    .table_valued(
        column("row_number", BigInteger),
        column("customer_id", BigInteger),
        column("errors", JSONB),
        column("failed_at", DateTime(timezone=True)),
    )
    .render_derived(name="given", with_types=True)
)
_marked = (
    update(_ROWS)
    .where(_OF_IMPORT, ImportRow.row_number == _given.c.row_number)
    .values(
        customer_id=func.coalesce(_given.c.customer_id, ImportRow.customer_id),
        errors=_given.c.errors,
        failed_at=_given.c.failed_at,
    )
    .returning(ImportRow.row_number)
    .cte("marked")
)
# Rendered: an UPDATE that is executed as one would take :tenant_id for a column to be set.
_MARK = Rendered(select(func.count()).select_from(_marked))
_FORGET = delete(_ROWS).where(_OF_IMPORT, ImportRow.row_number == any_(bindparam("done", type_=ARRAY(BigInteger))))
# Up to a number: with IN PostgreSQL, before it had counted, looked for each of 290,000 rows among 5,000; and by its
# place a row is not found that somebody rewrites meanwhile, such as an erasure.
_next = select(ImportRow.row_number).where(_WAITING).order_by(ImportRow.row_number).limit(_SWEEP).subquery("next")
_FORGET_WAITING = delete(_ROWS).where(
    _WAITING, ImportRow.row_number <= select(func.max(_next.c.row_number)).scalar_subquery()
)


def record_customers(tx: Transaction, taken: Taken, *, at: datetime) -> None:
    """The next rows make or find their customers; the import has succeeded if there are none.

    ``Unavailable`` while an address is passing from one customer to another.
    """
    named = {"import_id": taken.id, "recorded_through": taken.recorded_through}
    rows = [Waiting(**row) for row in tx.execute(_LOAD, named).mappings()]
    if not rows:
        import_queue.record(tx, taken, {"status": "succeeded", "due_at": None, "finished_at": at})
        return
    outcome = importing.decide(rows, taken.columns, country=taken.country)
    _keep_what_is_left(tx, taken, outcome, at=at)
    import_queue.record(tx, taken, _progress(taken, rows[-1].number, outcome), _born(outcome, at=at))
    emails.check_all_new_ones_passed_on(tx, (profile.email for _, profile in outcome.created))


def _progress(taken: Taken, last: int, outcome: Outcome) -> dict[str, Any]:
    return {
        "recorded_through": last,
        "settled_through": taken.settled_through if outcome.opening else last,
        "succeeded": taken.succeeded + len(outcome.done),
        "failed": taken.failed + len(outcome.refused),
        "created_count": taken.created_count + len(outcome.created),
        "existing_count": taken.existing_count + outcome.existing,
    }


def _born(outcome: Outcome, *, at: datetime) -> dict[Any, list[Any]]:
    recorded: dict[Any, list[Any]] = {_CUSTOMERS: [], outbox: []}
    for customer_id, profile in outcome.created:
        _, rows = customers.new_rows(customer_id, profile, source="import", at=at)
        for table, new in rows.items():
            recorded[table] += new
    # In one order for all: two workers whose files share their people would deadlock at the unique e-mail.
    recorded[_CUSTOMERS].sort(key=lambda row: str(row["email_key"]))
    return recorded


def openings(tx: Transaction, taken: Taken) -> tuple[list[dict[str, Any]], Outcome]:
    """The opening balances that rows wait for, as programs takes them; an erased customer's is refused already."""
    named = {name: getattr(taken, name) for name in ("recorded_through", "settled_through")}
    asked, outcome = [], Outcome()
    for row in tx.execute(_LOAD_OPENINGS, {**named, "import_id": taken.id}):
        if row.id is None or row.erased_at is not None or row.content is None:
            outcome.refused[row.row_number] = ERASED
            continue
        _, opening = importing.judge(row.content, taken.columns, country=taken.country)
        balance = {"row": row.row_number, "customer": queries.shown(row), "version": row.version}
        asked.append(balance | (asdict(opening) if opening else {}))
    return asked, outcome


def settle(tx: Transaction, taken: Taken, outcome: Outcome, *, at: datetime) -> None:
    """All rows that have their customer are done now, or refused."""
    _keep_what_is_left(tx, taken, outcome, at=at)
    progress = {
        "settled_through": taken.recorded_through,
        "succeeded": taken.succeeded + len(outcome.done),
        "failed": taken.failed + len(outcome.refused),
    }
    import_queue.record(tx, taken, progress)


def sweep(tx: Transaction, taken: Taken, *, at: datetime) -> None:
    """Forgets rows that will never be taken up; the job has ended when none is left."""
    named = {"import_id": taken.id, "recorded_through": taken.recorded_through}
    if tx.execute(_FORGET_WAITING, named).rowcount == _SWEEP:
        import_queue.record(tx, taken, {})
    else:
        import_queue.record(tx, taken, {"due_at": None, "finished_at": at})


def _keep_what_is_left(tx: Transaction, taken: Taken, outcome: Outcome, *, at: datetime) -> None:
    marks: list[dict[str, Any]] = [
        {"row_number": number, "customer_id": customer_id} for number, customer_id in outcome.opening.items()
    ]
    marks += [{"row_number": number, "errors": errors, "failed_at": at} for number, errors in outcome.refused.items()]
    if marks:
        tx.run(_MARK, {"import_id": taken.id, "rows": orjson.dumps(marks).decode()})
    if outcome.done:
        tx.execute(_FORGET, {"import_id": taken.id, "done": outcome.done})
