"""The outbox's way out over RabbitMQ: published in batches, with all confirms of a batch outstanding at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import structlog
from pika import BasicProperties, BlockingConnection, DeliveryMode, SelectConnection, URLParameters
from pika.channel import Channel
from pika.exceptions import AMQPError
from pika.frame import Method
from pika.spec import Basic

from loyalty_common.messaging.message import Message
from loyalty_common.messaging.topology import EXCHANGE, SUBSCRIPTIONS, declare, queue_of

# All well below the lease: rows that this relay still waits for must not be leased by another.
_CONNECT_S = 5.0
_CONFIRM_S = 5.0
_CLOSE_S = 1.0
_log = structlog.get_logger()


class BrokerLost(AMQPError):
    """The connection or its channel is gone, or the broker no longer answers on it."""


def parameters(url: str, name: str) -> URLParameters:
    """``name`` is what an operator sees in the broker's list of connections."""
    address = URLParameters(url)
    address.client_properties = {"connection_name": name}
    return address


@contextmanager
def broker_link(url: str, name: str) -> Iterator[BrokerLink]:
    with BlockingConnection(parameters(url, name)) as connection:
        declare(connection.channel())
    link = BrokerLink(parameters(url, name))
    try:
        link.open()
        yield link
    finally:
        link.close()


class BrokerLink:
    """A connection for publishing, served only while one of its methods runs.

    pika's BlockingConnection waits for every single confirm (2,000/s); its event loop, run from here until a batch
    is settled, does not.
    """

    def __init__(self, address: URLParameters) -> None:
        self.lost: BaseException | None = None
        self._channel: Channel | None = None
        self._ready = False
        self._queues_found = 0
        self._last_tag = 0
        self._unconfirmed: dict[int, UUID] = {}  # by delivery tag, ascending
        self._confirmed: set[UUID] = set()
        self._returned: set[UUID] = set()
        self._connection = SelectConnection(
            address,
            on_open_callback=self._on_open,
            on_open_error_callback=self._on_lost,
            on_close_callback=self._on_lost,
        )

    def open(self) -> None:
        self._run(lambda: self._ready, _CONNECT_S)
        self.raise_if_lost()

    def publish(self, messages: Sequence[Message]) -> set[UUID]:
        """The ids of those that every queue they are meant for has stored.

        A loss on the way raises nothing, since part may be confirmed: ``raise_if_lost`` is for afterwards.
        """
        self._find_queues()
        if self.lost is not None or self._channel is None:
            return set()
        self._confirmed, self._returned = set(), set()
        for message in messages:
            self._last_tag += 1
            self._unconfirmed[self._last_tag] = message.id
            properties = BasicProperties(
                content_type="application/json", delivery_mode=DeliveryMode.Persistent, message_id=str(message.id)
            )
            self._channel.basic_publish(EXCHANGE, message.event, message.to_json(), properties, mandatory=True)
        self._run(lambda: not self._unconfirmed, _CONFIRM_S)
        return self._confirmed - self._returned

    def pause(self, seconds: float) -> None:
        """Wait, answering heartbeats."""
        self._serve(seconds)

    def raise_if_lost(self) -> None:
        if self.lost is not None:
            raise BrokerLost(str(self.lost)) from self.lost

    def close(self) -> None:
        deadline = time.monotonic() + _CLOSE_S
        if self._connection.is_open:
            self._connection.close()
        while not self._connection.is_closed and time.monotonic() < deadline:
            self._serve(_CLOSE_S)
        self._connection.ioloop.close()

    def _find_queues(self) -> None:
        # `mandatory` is content with one queue: with one subscriber's queue missing the others' would still confirm.
        self._queues_found = 0
        if self._channel is not None and self.lost is None:
            for subscriber in SUBSCRIPTIONS:
                self._channel.queue_declare(queue_of(subscriber), passive=True, callback=self._on_queue_found)
            self._run(lambda: self._queues_found == len(SUBSCRIPTIONS), _CONFIRM_S)

    def _run(self, done: Callable[[], bool], timeout_s: float) -> None:
        """Serve the connection until ``done``; callbacks that may have changed the answer stop the loop."""
        deadline = time.monotonic() + timeout_s
        while not done() and self.lost is None:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                self.lost = BrokerLost(f"no answer in {timeout_s} s")
                return
            self._serve(left_s)

    def _serve(self, seconds: float) -> None:
        loop = self._connection.ioloop
        timer = loop.call_later(seconds, loop.stop)
        loop.start()
        loop.remove_timeout(timer)

    def _on_open(self, connection: SelectConnection) -> None:
        connection.channel(on_open_callback=self._on_channel)

    def _on_channel(self, channel: Channel) -> None:
        self._channel = channel
        channel.add_on_close_callback(self._on_lost)
        channel.add_on_return_callback(self._on_return)
        channel.confirm_delivery(self._on_confirm, callback=self._on_ready)

    def _on_ready(self, _: object) -> None:
        self._ready = True
        self._connection.ioloop.stop()

    def _on_queue_found(self, _: object) -> None:
        self._queues_found += 1
        self._connection.ioloop.stop()

    def _on_return(self, _channel: Channel, _method: Basic.Return, properties: BasicProperties, _body: bytes) -> None:
        _log.error("event_without_queue", message_id=properties.message_id)
        self._returned.add(UUID(properties.message_id))

    def _on_confirm(self, frame: Method[Any]) -> None:
        settled = frame.method.delivery_tag
        tags = [tag for tag in self._unconfirmed if tag <= settled] if frame.method.multiple else [settled]
        ids = {self._unconfirmed.pop(tag) for tag in tags}
        if isinstance(frame.method, Basic.Ack):
            self._confirmed |= ids
        else:
            _log.warning("events_refused_by_broker", count=len(ids))
        if not self._unconfirmed:
            self._connection.ioloop.stop()

    def _on_lost(self, _source: object, reason: BaseException) -> None:
        self.lost = self.lost or reason
        self._connection.ioloop.stop()
