"""Schema changes as a step of their own, one at a time per database, safe to start twice."""

from __future__ import annotations

import time

import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

_LOCK = 6_573_140_028  # any number, the same in every service: the lock lives in the service's own database
_log = structlog.get_logger()


def upgrade(engine: Engine, *, script_location: str, to: str = "head", timeout_s: float = 120) -> None:
    """Bring the schema to the newest revision, or that named by ``to``.

    ``script_location`` is the package's migrations folder.

    A schema that is newer than this code is left as it is: going back to a release is nothing to be done here.

    The advisory lock is taken by polling: a session that waits for it holds a snapshot, and CREATE INDEX
    CONCURRENTLY in the session that has it would wait for that snapshot for ever.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as lock:
        _wait_for_lock(lock, time.monotonic() + timeout_s)
        try:
            with engine.connect() as connection:
                # Waiting behind a long transaction would queue every statement behind us: fail, be started again.
                connection.execute(text("set lock_timeout = '5s'"))
                connection.commit()
                config = configuration(script_location)
                config.attributes["connection"] = connection
                if _is_newer(connection, config):
                    return
                command.upgrade(config, to)
                connection.commit()
                _log.info("migrated", revision=MigrationContext.configure(connection).get_current_revision())
        finally:
            lock.execute(text("select pg_advisory_unlock(:lock)"), {"lock": _LOCK})


def _is_newer(connection: Connection, config: Config) -> bool:
    found = MigrationContext.configure(connection).get_current_revision()
    connection.commit()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is None or found in known:
        return False
    _log.warning("schema_is_newer", revision=found)
    return True


def configuration(script_location: str) -> Config:
    config = Config()
    config.set_main_option("script_location", script_location)
    config.set_main_option("path_separator", "os")
    return config


def heads(script_location: str) -> tuple[str, ...]:
    """The newest revisions; more than one means that two changes were made side by side."""
    return tuple(ScriptDirectory.from_config(configuration(script_location)).get_heads())


def _wait_for_lock(connection: Connection, deadline: float) -> None:
    while not connection.execute(text("select pg_try_advisory_lock(:lock)"), {"lock": _LOCK}).scalar_one():
        if time.monotonic() > deadline:
            raise TimeoutError("another migration of this database has been running for too long")
        time.sleep(0.1)
