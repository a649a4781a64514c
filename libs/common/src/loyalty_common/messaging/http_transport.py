"""The embedded way out of the outbox: each subscriber is sent its events over HTTP, at its own pace.

One lane per subscriber: a thread with a connection, a back-off and confirmations (``confirmed_by``) of its own, so
that one that is down or hangs holds up no other. A lane leases nothing: it owns its subscriber by an advisory lock
for as long as it is connected, and reads the rows that its subscriber has yet to confirm. Rows that wait for somebody
else are passed over and never written. It is a transport for one machine, nothing more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

import requests
import structlog
from sqlalchemy import Connection, Engine, Table, func, select
from sqlalchemy.exc import SQLAlchemyError

from loyalty_common.messaging.http_subscriber import Subscriber, SubscriberUnavailable, TokenMinter
from loyalty_common.messaging.outbox_rows import HTTP_BATCH, SubscriberRows, background_connection
from loyalty_common.messaging.pacing import Backoff, poll_s

_LOOK_UP_S = 0.5  # how long a lane may not notice ``stop``
_STANDBY_S = 1.0
_SWEEP_S = 5.0
_log = structlog.get_logger()


def relay_over_http(
    engine: Engine, outbox: Table, *, publisher: str, events_url: str, signer: TokenMinter, stop: threading.Event
) -> None:
    """``events_url`` is ``subscriber=http://…`` and so on; a row is done once all of these that want it have it."""
    addresses = dict(entry.strip().split("=", 1) for entry in events_url.split(","))
    rows = SubscriberRows(outbox, publisher=publisher, subscribers=sorted(addresses))
    lanes = [Lane(rows, Subscriber(name, address, signer)) for name, address in addresses.items()]
    with ThreadPoolExecutor(len(lanes) + 1, thread_name_prefix="relay") as threads:
        running = [threads.submit(lane.run, engine, stop) for lane in lanes]
        running.append(threads.submit(_watch, engine, rows, lanes, stop))
        wait(running, return_when=FIRST_EXCEPTION)
        stop.set()  # A thread that ends by a fault of ours ends the process, to be started again as a whole.
    for ended in running:
        ended.result()


def _watch(engine: Engine, rows: SubscriberRows, lanes: Sequence[Lane], stop: threading.Event) -> None:
    """Looks into the outbox for all lanes at once: each for itself would cost an idle machine three times as much."""
    backoff = Backoff()
    while not stop.is_set():
        try:
            with background_connection(engine) as connection:
                _wake_lanes(connection, rows, lanes, stop)
        except SQLAlchemyError as error:
            wait_s = backoff.next_s()
            _log.warning("relay_interrupted", error=repr(error), retry_in_s=round(wait_s, 3))
            stop.wait(wait_s)


def _wake_lanes(connection: Connection, rows: SubscriberRows, lanes: Sequence[Lane], stop: threading.Event) -> None:
    busy_at = time.monotonic()
    swept_at = 0.0
    while not stop.is_set():
        asked_at = time.monotonic()
        awaiting = rows.awaiting(connection)
        cost_s = time.monotonic() - asked_at
        for lane in lanes:
            if lane.subscriber.name in awaiting and not lane.due.is_set():
                lane.due.set()
                busy_at = asked_at
        if asked_at - swept_at > _SWEEP_S:
            rows.sweep(connection)
            swept_at = asked_at
        # Passing over many rows that wait for others takes its time: a fifth of the time at most.
        stop.wait(max(poll_s(asked_at - busy_at), 4 * cost_s))


class Lane:
    """One subscriber's deliveries; ``due`` says that there are some."""

    def __init__(self, rows: SubscriberRows, subscriber: Subscriber) -> None:
        self.subscriber = subscriber
        self.due = threading.Event()
        self._rows = rows
        self._backoff = Backoff()

    def run(self, engine: Engine, stop: threading.Event) -> None:
        with self.subscriber:
            while not stop.is_set():
                try:
                    with background_connection(engine) as connection:
                        if self._owns_subscriber(connection):
                            self._deliver(connection, stop)
                        else:
                            stop.wait(_STANDBY_S)
                except (SQLAlchemyError, requests.RequestException, SubscriberUnavailable) as error:
                    wait_s = self._backoff.next_s()
                    about = {"subscriber": self.subscriber.name, "retry_in_s": round(wait_s, 3)}
                    _log.warning("relay_interrupted", error=repr(error), **about)
                    stop.wait(wait_s)

    def _owns_subscriber(self, connection: Connection) -> bool:
        # Spares the subscriber what a second relay would send as well. That would be all: inboxes drop it.
        key = func.hashtextextended(f"relay to {self.subscriber.name}", 0)
        return bool(connection.scalar(select(func.pg_try_advisory_lock(key))))

    def _deliver(self, connection: Connection, stop: threading.Event) -> None:
        while not stop.is_set():
            if not self.due.wait(_LOOK_UP_S):
                continue
            messages = self._rows.due(connection, self.subscriber.name)
            if messages:
                taken, rejected = self.subscriber.send([(message.id, message.to_json()) for message in messages])
                self._rows.confirm(connection, self.subscriber.name, taken)
                self._rows.postpone(connection, rejected)
                self._backoff.reset()
            if len(messages) < HTTP_BATCH:
                self.due.clear()
