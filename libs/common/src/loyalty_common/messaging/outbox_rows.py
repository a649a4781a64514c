"""What relays do with the rows of an outbox. Rows are found by their state: a commit that comes late is not skipped."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, timedelta
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from loyalty_common.messaging.message import Message
from loyalty_common.messaging.topology import event_regex

HTTP_BATCH = 200
AMQP_BATCH = 500
# Longer than a batch takes (the broker has 8 s to answer), so that a living relay is not overtaken; no longer, since
# the rows of a relay that was killed wait so long. What it had published by then goes out twice, and inboxes drop it.
LEASE_S = 10
POISON_PAUSE = timedelta(hours=1)


@contextmanager
def background_connection(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Each statement is a transaction of its own and does not wait for the disk.

    What a crash of PostgreSQL forgets of it is that something was sent, so it is sent again.
    """
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()  # These settings must not reach the next user of the pool.
        connection.execute(sa.text("SET synchronous_commit TO off"))
        yield connection


class LeasedRows:
    """Rows for relays that send each to all subscribers at once. The statements are built once."""

    def __init__(self, outbox: sa.Table, *, publisher: str) -> None:
        self._publisher = publisher
        due = (
            sa.select(outbox.c.id)
            .where(outbox.c.available_at <= sa.func.now())
            .order_by(outbox.c.available_at, outbox.c.id)
            .limit(AMQP_BATCH)
            .with_for_update(skip_locked=True)
            .cte("due")  # As a subquery of IN it could be run more than once, and lease more than a batch.
        )
        self._lease = (
            sa.update(outbox)
            .where(outbox.c.id == due.c.id)
            .values(available_at=sa.func.now() + timedelta(seconds=LEASE_S))
            .returning(*_message_columns(outbox))
        )
        self._remove = sa.delete(outbox).where(_named(outbox))
        self._release = sa.update(outbox).where(_named(outbox)).values(available_at=sa.func.now())

    def lease(self, connection: sa.Connection) -> list[Message]:
        """The oldest rows that are due, at most ``AMQP_BATCH``; nobody else gets them for ``LEASE_S``."""
        rows = connection.execute(self._lease)
        return sorted((_message_of(row, self._publisher) for row in rows), key=lambda message: message.created_at)

    def remove(self, connection: sa.Connection, ids: Collection[UUID]) -> None:
        connection.execute(self._remove, {"ids": list(ids)})

    def release(self, connection: sa.Connection, ids: Collection[UUID]) -> None:
        """Ends a lease early: the rows are due at once."""
        connection.execute(self._release, {"ids": list(ids)})


class SubscriberRows:
    """Rows for relays that send to each of ``subscribers`` by itself; ``confirmed_by`` says who has one already."""

    def __init__(self, outbox: sa.Table, *, publisher: str, subscribers: Collection[str]) -> None:
        self._publisher = publisher
        pending = {subscriber: _pending(outbox, subscriber) for subscriber in subscribers}
        due = {
            subscriber: sa.and_(outbox.c.available_at <= sa.func.now(), pending[subscriber]) for subscriber in pending
        }
        self._awaiting = sa.select(*(sa.exists().where(due[subscriber]).label(subscriber) for subscriber in due))
        self._due = {
            subscriber: sa.select(*_message_columns(outbox))
            .where(due[subscriber])
            .order_by(outbox.c.available_at, outbox.c.id)
            .limit(HTTP_BATCH)
            for subscriber in due
        }
        self._confirm = {subscriber: _confirmation(outbox, subscriber, subscribers) for subscriber in subscribers}
        self._postpone = sa.update(outbox).where(_named(outbox)).values(available_at=sa.func.now() + POISON_PAUSE)
        self._sweep = sa.delete(outbox).where(sa.not_(sa.or_(*pending.values())))

    def awaiting(self, connection: sa.Connection) -> list[str]:
        """The subscribers for whom rows are due."""
        return [name for name, is_due in connection.execute(self._awaiting).mappings().one().items() if is_due]

    def due(self, connection: sa.Connection, subscriber: str) -> list[Message]:
        """The oldest rows that ``subscriber`` has yet to confirm, at most ``HTTP_BATCH``."""
        return [_message_of(row, self._publisher) for row in connection.execute(self._due[subscriber])]

    def confirm(self, connection: sa.Connection, subscriber: str, ids: Collection[UUID]) -> None:
        """Removes the rows, but for those that another subscriber has yet to confirm."""
        connection.execute(self._confirm[subscriber], {"ids": list(ids)})

    def postpone(self, connection: sa.Connection, ids: Collection[UUID]) -> None:
        connection.execute(self._postpone, {"ids": list(ids)})

    def sweep(self, connection: sa.Connection) -> None:
        """Removes the rows that nobody is to receive, or is to any more."""
        connection.execute(self._sweep)


def _named(outbox: sa.Table) -> sa.ColumnElement[bool]:
    return outbox.c.id == sa.any_(sa.bindparam("ids", type_=ARRAY(sa.Uuid)))


def _pending(rows: sa.Table | sa.CTE, subscriber: str) -> sa.ColumnElement[bool]:
    return sa.and_(
        rows.c.event.regexp_match(event_regex(subscriber)), sa.not_(rows.c.confirmed_by.contains([subscriber]))
    )


def _confirmation(outbox: sa.Table, subscriber: str, subscribers: Collection[str]) -> sa.Update:
    # Locked by id, so that the lanes of several subscribers wait for each other in one order; what is decided on is
    # the row as it is once the lock is held.
    own = (
        sa.select(outbox.c.id, outbox.c.event, outbox.c.confirmed_by)
        .where(_named(outbox))
        .order_by(outbox.c.id)
        .with_for_update()
        .cte("own")
    )
    awaited = sa.or_(sa.false(), *(_pending(own, other) for other in subscribers if other != subscriber))
    removed = sa.delete(outbox).where(outbox.c.id == own.c.id, sa.not_(awaited)).cte("removed")
    return (
        sa.update(outbox)
        .where(outbox.c.id == own.c.id, awaited)
        .values(confirmed_by=sa.func.array_append(own.c.confirmed_by, subscriber))
        .add_cte(removed)
    )


def _message_columns(outbox: sa.Table) -> list[sa.ColumnElement[Any]]:
    return [outbox.c[name] for name in ("id", "tenant_id", "event", "version", "payload", "created_at", "traceparent")]


def _message_of(row: sa.Row[Any], publisher: str) -> Message:
    return Message(
        id=row.id,
        event=row.event,
        publisher=publisher,
        tenant_id=row.tenant_id,
        version=row.version,
        created_at=row.created_at.astimezone(UTC),
        data=orjson.loads(row.payload),
        traceparent=row.traceparent,
    )
