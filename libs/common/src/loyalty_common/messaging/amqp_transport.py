"""The outbox's way out over RabbitMQ: lease a batch, publish it, remove what was confirmed."""

from __future__ import annotations

import threading
import time

import structlog
from pika.exceptions import AMQPError
from sqlalchemy import Connection, Engine, Table
from sqlalchemy.exc import SQLAlchemyError

from loyalty_common.messaging.amqp_link import RECONNECT_S, BrokerLink, broker_link
from loyalty_common.messaging.outbox_rows import AMQP_BATCH, LeasedRows, background_connection
from loyalty_common.messaging.pacing import Backoff, poll_s

_log = structlog.get_logger()


def relay_over_amqp(engine: Engine, outbox: Table, *, publisher: str, events_url: str, stop: threading.Event) -> None:
    rows = LeasedRows(outbox, publisher=publisher)
    backoff = Backoff(first_s=RECONNECT_S)
    while not stop.is_set():
        try:
            # Both ends are connected before anything is leased: a lease taken in vain would delay its rows.
            with background_connection(engine) as connection, broker_link(events_url, f"{publisher} relay") as link:
                _log.info("relay_connected")
                backoff.reset()
                _carry(connection, link, rows, stop)
        except (AMQPError, SQLAlchemyError) as error:
            wait_s = backoff.next_s()
            _log.warning("relay_interrupted", error=repr(error), retry_in_s=round(wait_s, 3))
            stop.wait(wait_s)


def _carry(connection: Connection, link: BrokerLink, rows: LeasedRows, stop: threading.Event) -> None:
    busy_at = time.monotonic()
    while not stop.is_set():
        messages = rows.lease(connection)
        if messages:
            confirmed = link.publish(messages)
            rows.remove(connection, confirmed)
            if link.lost is not None:
                rows.release(connection, {message.id for message in messages} - confirmed)
            busy_at = time.monotonic()
        if len(messages) < AMQP_BATCH:
            stop.wait(poll_s(time.monotonic() - busy_at))
        link.keep_alive()
        link.raise_if_lost()
