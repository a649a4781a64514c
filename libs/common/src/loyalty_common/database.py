"""Transactions bound to one tenant, run again when the database says so.

The caller of ``perform`` must be repeatable: every write carries an idempotency row, so that an
operation whose COMMIT was answered by silence finds its own reply when it runs again.
"""

from __future__ import annotations

import random
import time
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, TypeVar

import psycopg
import sqlalchemy
from sqlalchemy import Connection, CursorResult, Dialect, Engine, Executable, Select
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from loyalty_common.errors import RequestInProgress, Unavailable

_T = TypeVar("_T")
_DIALECT: Dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]
_ATTEMPTS = 12
_LOCK_TIMEOUT_S = 10


class Conflict(Exception):
    """What was decided no longer fits what is stored: roll back and run again."""


def create_engine(url: str, *, pool_size: int, application_name: str) -> Engine:
    """An engine for ``postgresql://…``; a statement waits at most 10 s for a lock.

    Connections are checked by use, not by a ping before each use: ``perform`` repeats what a dead one cost.
    """
    return sqlalchemy.create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=_LOCK_TIMEOUT_S,
        pool_recycle=1800,
        hide_parameters=True,  # the text of an error is logged, and parameters are people's data
        connect_args={
            "application_name": application_name,
            "connect_timeout": 5,
            "options": f"-c lock_timeout={_LOCK_TIMEOUT_S}s -c timezone=UTC -c idle_in_transaction_session_timeout=60s",
        },
    )


class Rendered:
    """A statement of the hot path, rendered once at import.

    ``execute`` walks and keys a statement's tree for every request (100 to 400 µs for a record step), and adds a SET
    for each parameter that is named like a column; this is only the text. Values come back as psycopg reads them, in
    tuples with the columns' names.
    """

    __slots__ = ("row", "sql")

    def __init__(self, statement: Select[Any]) -> None:
        compiled = statement.compile(dialect=_DIALECT)
        constants = {name: value for name, value in compiled.params.items() if value is not None}
        if constants:
            raise ValueError(f"write these as literal_column, they would be lost: {constants}")
        # The same type by its short name: psycopg remembers how it read a statement only up to 4,096 characters.
        self.sql = str(compiled).replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ")
        self.row: Any = namedtuple("Row", statement.selected_columns.keys(), rename=True)  # type: ignore[misc]


class Transaction:
    """An open transaction that may touch one tenant's rows only.

    Every statement names ``:tenant_id`` and gets it from here: no caller passes it, none can pass another's.
    """

    __slots__ = ("connection", "tenant_id")

    def __init__(self, connection: Connection, tenant_id: int) -> None:
        self.connection = connection
        self.tenant_id = tenant_id

    def execute(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> CursorResult[Any]:
        return self.connection.execute(statement, {**(parameters or {}), "tenant_id": self.tenant_id})

    def run(self, statement: Rendered, parameters: Mapping[str, Any] | None = None) -> list[Any]:
        """The rows. Past SQLAlchemy's results, which cost a purchase a fifth of its time; its events are kept."""
        connection, values = self.connection, {**(parameters or {}), "tenant_id": self.tenant_id}
        with closing(connection.connection.cursor()) as cursor:
            said = (connection, cursor, statement.sql, values, None, False)
            for listener in connection.dispatch.before_cursor_execute:
                listener(*said)
            try:
                cursor.execute(statement.sql, values)
                rows = [statement.row(*row) for row in cursor.fetchall()]
            except psycopg.Error as error:
                # What broke is judged as for any other statement: wrapped, and a dead connection's pool given up.
                connection._handle_dbapi_exception(error, statement.sql, values, cursor, None)
            for listener in connection.dispatch.after_cursor_execute:
                listener(*said)
            return rows


@contextmanager
def transaction(engine: Engine, tenant_id: int) -> Iterator[Transaction]:
    with engine.begin() as connection:
        yield Transaction(connection, tenant_id)


def perform(engine: Engine, tenant_id: int, operation: Callable[[Transaction], _T]) -> _T:
    """Run ``operation`` in a transaction of its own and commit, again after a conflict, at most 12 times in 10 s.

    Run again after: ``Conflict``; a unique violation (someone else recorded the same key, reference or
    e-mail at the same moment: the next run finds it); a deadlock; a lost connection.
    Raises ``RequestInProgress`` if a lock was not had in 10 s, ``Unavailable`` if the database is away.
    """
    deadline = time.monotonic() + _LOCK_TIMEOUT_S
    for attempt in range(_ATTEMPTS):
        try:
            with transaction(engine, tenant_id) as tx:
                return operation(tx)
        except Conflict as conflict:
            cause: Exception = conflict
        except (DBAPIError, sqlalchemy.exc.TimeoutError) as error:
            cause = _repeatable(error)
        if time.monotonic() > deadline:
            break
        time.sleep(random.uniform(0, min(0.2, 0.004 * 2**attempt)))  # noqa: S311 (jitter, not a secret)
    if isinstance(cause, OperationalError | sqlalchemy.exc.TimeoutError):
        raise Unavailable from cause
    raise RequestInProgress from cause


def _repeatable(error: DBAPIError | sqlalchemy.exc.TimeoutError) -> Exception:
    """The error itself if running again can help; otherwise it is raised."""
    original = getattr(error, "orig", None)
    if isinstance(original, psycopg.errors.LockNotAvailable):
        raise RequestInProgress from error
    if isinstance(error, IntegrityError) and isinstance(original, psycopg.errors.UniqueViolation):
        return error
    if isinstance(original, psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure):
        return error
    if is_outage(error):
        return error
    raise error


def is_outage(error: BaseException) -> bool:
    """Whether the database could not be asked, as opposed to having refused what was asked."""
    if isinstance(error, sqlalchemy.exc.TimeoutError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    # Raised while connecting: class 08, 57P (shutting down, starting up), 53 (out of connections), or no answer at all.
    state = getattr(error.orig, "sqlstate", None)
    return isinstance(error, OperationalError) and (state is None or state[:3] == "57P" or state[:2] in ("08", "53"))
