"""The embedded way out of the outbox: each subscriber is sent its events over HTTP, at its own pace.

One lane per subscriber: a thread with a connection, a back-off and confirmations (``confirmed_by``) of its own, so
that one that is down or hangs holds up no other. A lane leases nothing: it owns its subscriber by an advisory lock
for as long as it is connected, and reads the rows that its subscriber has yet to confirm. Rows that wait for somebody
else are passed over and never written. It is a transport for one machine, nothing more.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

import requests
import structlog
from sqlalchemy import Connection, Engine, Table, func, select
from sqlalchemy.exc import SQLAlchemyError

from loyalty_common.messaging.http_subscriber import Subscriber, SubscriberUnavailable, TokenMinter
from loyalty_common.messaging.outbox_rows import HTTP_BATCH, SubscriberRows, background_connection
from loyalty_common.messaging.pacing import Backoff, poll_s

_STANDBY_S = 1.0
_SWEEP_S = 5.0
_log = structlog.get_logger()


def relay_over_http(
    engine: Engine, outbox: Table, *, publisher: str, events_url: str, signer: TokenMinter, stop: threading.Event
) -> None:
    """``events_url`` is ``subscriber=http://…`` and so on; a row is done once all of these that want it have it."""
    addresses = dict(entry.strip().split("=", 1) for entry in events_url.split(","))
    rows = SubscriberRows(outbox, publisher=publisher, subscribers=sorted(addresses))
    with ThreadPoolExecutor(len(addresses) + 1, thread_name_prefix="relay") as threads:
        running = [
            threads.submit(_run_lane, engine, rows, Subscriber(name, address, signer), stop)
            for name, address in addresses.items()
        ]
        running.append(threads.submit(_run_sweep, engine, rows, stop))
        wait(running, return_when=FIRST_EXCEPTION)
        stop.set()  # A thread that ends by a fault of ours ends the process, to be started again as a whole.
    for ended in running:
        ended.result()


def _run_lane(engine: Engine, rows: SubscriberRows, subscriber: Subscriber, stop: threading.Event) -> None:
    backoff = Backoff()
    with subscriber:
        while not stop.is_set():
            try:
                with background_connection(engine) as connection:
                    if _owns(connection, subscriber):
                        _serve(connection, rows, subscriber, backoff, stop)
                    else:
                        stop.wait(_STANDBY_S)
            except (SQLAlchemyError, requests.RequestException, SubscriberUnavailable) as error:
                wait_s = backoff.next_s()
                _log.warning(
                    "relay_interrupted", subscriber=subscriber.name, error=repr(error), retry_in_s=round(wait_s, 3)
                )
                stop.wait(wait_s)


def _owns(connection: Connection, subscriber: Subscriber) -> bool:
    # Spares the subscriber what a second relay would send as well. It would be no more than that: inboxes drop it.
    key = func.hashtextextended(f"relay to {subscriber.name}", 0)
    return bool(connection.scalar(select(func.pg_try_advisory_lock(key))))


def _serve(
    connection: Connection, rows: SubscriberRows, subscriber: Subscriber, backoff: Backoff, stop: threading.Event
) -> None:
    busy_at = time.monotonic()
    while not stop.is_set():
        asked_at = time.monotonic()
        messages = rows.due(connection, subscriber.name)
        cost_s = time.monotonic() - asked_at
        if messages:
            taken, rejected = subscriber.send([(message.id, message.to_json()) for message in messages])
            rows.confirm(connection, subscriber.name, taken)
            rows.postpone(connection, rejected)
            backoff.reset()
            busy_at = time.monotonic()
        if len(messages) < HTTP_BATCH:
            # Passing over many rows that wait for others takes its time: a fifth of the time at most.
            stop.wait(max(poll_s(time.monotonic() - busy_at), 4 * cost_s))


def _run_sweep(engine: Engine, rows: SubscriberRows, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            with engine.begin() as connection:
                rows.sweep(connection)
        except SQLAlchemyError as error:
            _log.warning("relay_sweep_failed", error=repr(error))
        stop.wait(_SWEEP_S)
