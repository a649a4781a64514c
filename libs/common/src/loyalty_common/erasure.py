"""An erased customer leaves the services that only know of him: what they hold of him beside ids and amounts goes.

The tombstone in the directory is the order to do so, in the transaction of the inbox row. It is carried out right after
by whoever heard of the erasure, and by a job if that process was killed: the tombstone says when it was done.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import orjson
import sqlalchemy as sa
import structlog

from loyalty_common import personal
from loyalty_common.database import Transaction, perform
from loyalty_common.directory import Directory
from loyalty_common.messaging.judgement import Handle
from loyalty_common.messaging.message import Message

_BATCH = 100
_SETTLE_S = 2.0
_log = structlog.get_logger()

# Whoever began before may have loaded the customer as he was, and not yet recorded what he says of him. The sessions
# are our own role's; none that writes lives for five minutes, so that a long export or dump holds nothing up.
_IS_UNSETTLED = sa.text("""
    select exists (
        select from pg_stat_activity
         where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
           and xact_start < :since and xact_start > now() - interval '5 minutes')
""")


def tables_with(metadata: sa.MetaData, *columns: str) -> list[sa.Table]:
    """Tables that say something of customers are found by their columns, so that later ones are too."""
    return [table for table in metadata.sorted_tables if {*columns} <= {*table.columns.keys()}]


def noted_tables(metadata: sa.MetaData) -> list[sa.Table]:
    return tables_with(metadata, "customer_id", "notes")


def index_notes(metadata: sa.MetaData) -> None:
    """Give each of these an index by which a customer's notes are found; rows without notes cost it nothing."""
    for table in noted_tables(metadata):
        columns = (table.c.tenant_id, table.c.customer_id)
        sa.Index(f"ix_{table.name}_noted", *columns, postgresql_where=sa.text("notes is not null"))


class Erasure:
    """What a service does about erased customers."""

    def __init__(self, directory: Directory, *, idempotency: sa.Table, outbox: sa.Table) -> None:
        self._replies, self._outbox = idempotency, outbox
        self._people = people = directory.customers
        self._noted = noted_tables(people.metadata)
        self._coded = tables_with(people.metadata, "customer_id", "referral_code")
        self._due = (
            sa.select(people.c.tenant_id, people.c.customer_id, sa.func.clock_timestamp().label("since"))
            .where(people.c.erased_at.is_not(None), people.c.forgotten_at.is_(None))
            .limit(_BATCH)
        )

    def following(self, engine: sa.Engine, handle: Handle) -> Handle:
        """``handle``, and once it has committed, what the erasures among the messages ask for."""

        def handle_and_forget(messages: list[Message]) -> None:
            handle(messages)
            if any(message.publisher == "customers" and message.data.get("erased_at") for message in messages):
                try:
                    self.carry_out(engine)
                except Exception:
                    # The messages are committed and must not be judged by this; the job comes back to it.
                    _log.exception("erasure_postponed")

        return handle_and_forget

    def carry_out(self, engine: sa.Engine) -> int:
        """Forget whom the directory holds as erased; how many. What cannot be yet, is left to the next run."""
        forgotten = 0
        while due := self._settled(engine):
            for row in due:
                perform(engine, row.tenant_id, _forgetting(self, row.customer_id))
            forgotten += len(due)
        return forgotten

    def _settled(self, engine: sa.Engine) -> Sequence[Any]:
        """Those to forget, once all transactions have ended that may not have seen their tombstones."""
        deadline = time.monotonic() + _SETTLE_S
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            due = connection.execute(self._due).all()
            while due and connection.execute(_IS_UNSETTLED, {"since": due[0].since}).scalar_one():
                if time.monotonic() > deadline:
                    return []
                time.sleep(0.01)
        return due

    def forget(self, tx: Transaction, *, customer_id: int) -> None:
        """The customer's tombstone is committed, and who had not seen it is gone."""
        for table in self._noted:
            his = (table.c.tenant_id == tx.tenant_id, table.c.customer_id == customer_id)
            tx.connection.execute(sa.update(table).where(*his, table.c.notes.is_not(None)).values(notes=None))
        for table in self._coded:
            # Made of the person's name, unique, and of no use any more: friends come to nobody.
            his = (table.c.tenant_id == tx.tenant_id, table.c.customer_id == customer_id)
            gone = sa.func.concat("ERASED-", table.c.id)
            tx.connection.execute(sa.update(table).where(*his).values(referral_code=gone))
        forget_replies(tx, self._replies, customer_id=customer_id)
        forget_unsent(tx, self._outbox, customer_id=customer_id)
        people = self._people
        his = (people.c.tenant_id == tx.tenant_id, people.c.customer_id == customer_id)
        tx.connection.execute(sa.update(people).where(*his).values(forgotten_at=sa.func.now()))


def _forgetting(erasure: Erasure, customer_id: int) -> Callable[[Transaction], None]:
    return lambda tx: erasure.forget(tx, customer_id=customer_id)


def forget_replies(tx: Transaction, idempotency: sa.Table, *, customer_id: int) -> None:
    """The replies stay, so that no retry takes effect twice; what they say of the customer goes."""
    of_tenant = idempotency.c.tenant_id == tx.tenant_id
    his = sa.select(idempotency.c.key, idempotency.c.body).where(of_tenant, idempotency.c.customer_id == customer_id)
    for row in tx.connection.execute(his.with_for_update()).all():
        body = orjson.loads(row.body)
        personal.take_out(body, customer_id)
        changed = {"body": orjson.dumps(body).decode(), "customer_id": personal.customer_of(body)}
        tx.connection.execute(sa.update(idempotency).where(of_tenant, idempotency.c.key == row.key).values(changed))


def forget_unsent(tx: Transaction, outbox: sa.Table, *, customer_id: int) -> None:
    """The same for events that wait: there are few, or the relay is down."""
    of_tenant = outbox.c.tenant_id == tx.tenant_id
    named = outbox.c.payload.contains(f'id":{customer_id}')  # his, or that of a longer number
    waiting = sa.select(outbox.c.id, outbox.c.payload).where(of_tenant, named).with_for_update()
    for row in tx.connection.execute(waiting).all():
        data = orjson.loads(row.payload)
        if personal.take_out_of_event(data, customer_id):
            changed = {"payload": orjson.dumps(data).decode()}
            tx.connection.execute(sa.update(outbox).where(of_tenant, outbox.c.id == row.id).values(changed))
