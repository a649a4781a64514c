"""Telling every gateway process that what it remembers of a caller is no longer so.

Said within the transaction of the change and heard when that commits: PostgreSQL's own NOTIFY, so that there is no
change without its announcement, and no other server to be up. Changes of keys are rare; its lock costs them nothing.
"""

from __future__ import annotations

import random
import threading

import psycopg
import structlog
from sqlalchemy import Connection, func, select

from loyalty_gateway.domain.key_cache import KeyCache

CHANNEL = "callers"
_HEARTBEAT_S = 1.0
_log = structlog.get_logger()


def announce_key(connection: Connection, kid: str) -> None:
    _announce(connection, f"key:{kid}")


def announce_organization(connection: Connection, organization_id: int) -> None:
    """Of all that its callers are told with: status, plan, limits, settings."""
    _announce(connection, f"organization:{organization_id}")


def _announce(connection: Connection, subject: str) -> None:
    connection.execute(select(func.pg_notify(CHANNEL, subject)))


class Listener:
    """Keeps a cache true to what is announced, on a connection of its own.

    ``database_url`` must lead to the server itself or to a pooler that keeps sessions: nothing is heard through one
    that lends connections by transaction.
    """

    def __init__(self, database_url: str, cache: KeyCache, *, application_name: str) -> None:
        self._database_url = database_url
        self._cache = cache
        self._application_name = application_name
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="revocations", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        is_lost = False
        while not self._stop.is_set():
            try:
                with self._connected() as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    self._cache.told(True)
                    _log.info("revocations_heard")
                    is_lost = False
                    self._listen(connection)
            except Exception as error:
                # Whatever it was: who hears nothing must not believe that there is nothing.
                self._cache.told(False)
                if not is_lost:
                    _log.warning("revocations_unheard", error=repr(error))
                is_lost = True
                self._stop.wait(random.uniform(0.1, 0.5))  # noqa: S311 (jitter, not a secret)

    def _connected(self) -> psycopg.Connection:
        return psycopg.connect(
            self._database_url,
            autocommit=True,
            application_name=self._application_name,
            connect_timeout=2,
            # A peer that is gone without a word is an error two seconds after a heartbeat.
            tcp_user_timeout=2000,
        )

    def _listen(self, connection: psycopg.Connection) -> None:
        while not self._stop.is_set():
            for announced in connection.notifies(timeout=_HEARTBEAT_S):
                self._forget(announced.payload)
            connection.execute("SELECT 1")

    def _forget(self, subject: str) -> None:
        kind, _, name = subject.partition(":")
        if kind == "key":
            self._cache.forget_key(name)
        elif kind == "organization":
            self._cache.forget_organization(int(name))
