"""One HTTP request to a stranger: bounded in time, in bytes, and in where it may go."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from loyalty_webhooks.domain.targets import Target
from loyalty_webhooks.transport.connection import Connection
from loyalty_webhooks.transport.dialing import Dialer
from loyalty_webhooks.transport.errors import AttemptFailed, DeadlinePassed
from loyalty_webhooks.transport.exchange import ConnectionWasStale, Exchange
from loyalty_webhooks.transport.pool import ConnectionPool
from loyalty_webhooks.transport.watchdog import Watch, Watchdog

ATTEMPT_S = 15.0
_TICK_S = 0.1
_SWEEP_EVERY_TICKS = 50


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an attempt. ``status_code`` is null where no status line came, ``failure`` where all of it came."""

    duration_ms: int
    status_code: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    truncated: bool = False
    failure: AttemptFailed | None = None


class Client:
    """Posts to endpoints. No redirects, no cookies, no proxies, nothing from the environment. Thread-safe."""

    def __init__(self, dialer: Dialer, *, attempt_s: float = ATTEMPT_S) -> None:
        self._dialer = dialer
        self._attempt_s = attempt_s
        self._pool = ConnectionPool()
        self._watchdog = Watchdog()
        self._closed = threading.Event()
        self._housekeeper = threading.Thread(target=self._keep_house, name="watchdog", daemon=True)
        self._housekeeper.start()

    def post(self, target: Target, *, headers: Mapping[str, str], body: bytes) -> Answer:
        started = time.monotonic()
        exchange = Exchange(target, {"Host": target.authority, **headers}, body)
        failure: AttemptFailed | None = None
        with self._watchdog.watch(self._attempt_s) as watch:
            try:
                self._run(exchange, watch)
            except AttemptFailed as error:
                failure = error
        if watch.expired:
            # Also where the exchange looks whole: to its reader, our shutdown is the receiver's end of an unsized body.
            failure = DeadlinePassed()
        return Answer(
            duration_ms=round((time.monotonic() - started) * 1000),
            status_code=exchange.status_code,
            headers=exchange.headers,
            body=exchange.body,
            truncated=exchange.truncated,
            failure=failure,
        )

    def close(self) -> None:
        self._closed.set()
        self._housekeeper.join()
        self._pool.sweep(idle_s=0)

    def _run(self, exchange: Exchange, watch: Watch) -> None:
        kept = self._pool.take(exchange.target)
        if kept is not None:
            try:
                return self._use(kept, exchange, watch, kept=True)
            except ConnectionWasStale:
                # Nothing was answered, and deliveries are at least once: ask again on a new connection.
                if watch.expired:
                    return None
        fresh = Connection(exchange.target, self._dialer.connect(exchange.target, watch))
        return self._use(fresh, exchange, watch, kept=False)

    def _use(self, connection: Connection, exchange: Exchange, watch: Watch, *, kept: bool) -> None:
        watch.attach(connection.sock)
        try:
            reusable = exchange.run(connection, kept=kept)
        except BaseException:
            watch.release()
            connection.close()
            raise
        watch.release()
        if reusable:
            self._pool.give(exchange.target, connection)
        else:
            connection.close()

    def _keep_house(self) -> None:
        ticks = 0
        while not self._closed.wait(_TICK_S):
            self._watchdog.tick()
            ticks += 1
            if ticks % _SWEEP_EVERY_TICKS == 0:
                self._pool.sweep()
