"""A connection to RabbitMQ that publishes in batches, with all confirms of a batch outstanding at once.

pika's BlockingConnection waits for every single confirm (2,000/s). Here its event loop is run by the caller, for as
long as answers are awaited.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import structlog
from pika import BasicProperties, BlockingConnection, DeliveryMode, SelectConnection, URLParameters
from pika.channel import Channel
from pika.exceptions import AMQPError
from pika.spec import Basic

from loyalty_common.messaging.message import Message
from loyalty_common.messaging.topology import EXCHANGE, SUBSCRIPTIONS, declare, queue_of

# Whoever connects makes the queues that are missing. A queue deleted and made anew in 10 ms (RabbitMQ 3.10) was seen
# to keep its old consumers, to tell them nothing and to deliver nothing to them; after 30 ms they were told.
RECONNECT_S = 0.5
# Well below the lease of the rows: while this relay still waits for a confirm, no other may be given them.
_ANSWER_S = 4.0
_CLOSE_S = 1.0
_KEEP_ALIVE_S = 1.0
_log = structlog.get_logger()


class BrokerSilent(AMQPError):
    """No answer came, though the connection seems to stand."""


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
    def __init__(self, address: URLParameters) -> None:
        self.lost: BaseException | None = None
        self._channel: Channel
        self._awaited: dict[Any, UUID | None] = {}  # what the broker has yet to answer; ids by ascending delivery tag
        self._last_tag = 0
        self._served_at = 0.0
        self._confirmed: set[UUID] = set()
        self._connection = SelectConnection(
            address,
            on_open_callback=self._on_open,
            on_open_error_callback=self._on_lost,
            on_close_callback=self._on_lost,
        )

    def open(self) -> None:
        self._awaited["confirm mode"] = None
        self._await_answers()
        self.raise_if_lost()

    def publish(self, messages: Sequence[Message]) -> set[UUID]:
        """The ids of those that every queue they are meant for has stored.

        A loss on the way raises nothing, since part may be confirmed: ``raise_if_lost`` is for afterwards.
        """
        self._confirmed = set()
        self._find_queues()
        if self.lost is None:
            for message in messages:
                self._publish(message)
            self._await_answers()
        return self._confirmed

    def keep_alive(self) -> None:
        """Answers heartbeats and notices a loss. To be called often; does something once a second."""
        if time.monotonic() - self._served_at > _KEEP_ALIVE_S:
            self._serve(0)

    def raise_if_lost(self) -> None:
        if self.lost is not None:
            raise self.lost

    def close(self) -> None:
        if self._connection.is_open:
            self._connection.close()
        deadline = time.monotonic() + _CLOSE_S
        while not self._connection.is_closed and time.monotonic() < deadline:
            self._serve(_CLOSE_S)
        self._connection.ioloop.close()

    def _find_queues(self) -> None:
        # `mandatory` is content with one queue: with another subscriber's queue missing it would confirm all the same.
        for queue in map(queue_of, SUBSCRIPTIONS):
            self._awaited[queue] = None
            self._channel.queue_declare(queue, passive=True, callback=lambda frame: self._answered(frame.method.queue))
        self._await_answers()

    def _publish(self, message: Message) -> None:
        self._last_tag += 1
        self._awaited[self._last_tag] = message.id
        properties = BasicProperties(
            content_type="application/json", delivery_mode=DeliveryMode.Persistent, message_id=str(message.id)
        )
        self._channel.basic_publish(EXCHANGE, message.event, message.to_json(), properties, mandatory=True)

    def _await_answers(self) -> None:
        deadline = time.monotonic() + _ANSWER_S
        while self._awaited and self.lost is None:
            if time.monotonic() > deadline:
                self.lost = BrokerSilent(f"in {_ANSWER_S} s")
            else:
                self._serve(_ANSWER_S)

    def _serve(self, seconds: float) -> None:
        """Runs the event loop until a callback stops it, at most so long."""
        loop = self._connection.ioloop
        timer = loop.call_later(seconds, loop.stop)
        loop.start()
        loop.remove_timeout(timer)
        self._served_at = time.monotonic()

    def _answered(self, *what: object) -> None:
        for answered in what:
            del self._awaited[answered]
        if not self._awaited:
            self._connection.ioloop.stop()

    def _on_open(self, connection: SelectConnection) -> None:
        connection.channel(on_open_callback=self._on_channel)

    def _on_channel(self, channel: Channel) -> None:
        self._channel = channel
        channel.add_on_close_callback(self._on_lost)
        channel.add_on_return_callback(self._on_return)
        channel.confirm_delivery(self._on_confirm, callback=lambda _: self._answered("confirm mode"))

    def _on_return(self, _: Channel, returned: Basic.Return, properties: BasicProperties, __: bytes) -> None:
        # The broker returns it before it confirms it: by then it is no longer among the awaited ids.
        _log.error("event_without_queue", message_event=returned.routing_key, message_id=properties.message_id)
        for tag, message_id in self._awaited.items():
            if str(message_id) == properties.message_id:
                self._awaited[tag] = None

    def _on_confirm(self, frame: Any) -> None:
        last = frame.method.delivery_tag
        tags = [tag for tag in self._awaited if tag <= last] if frame.method.multiple else [last]
        if isinstance(frame.method, Basic.Ack):
            self._confirmed.update(message_id for tag in tags if (message_id := self._awaited[tag]))
        else:
            _log.warning("events_refused_by_broker", count=len(tags))
        self._answered(*tags)

    def _on_lost(self, _: object, reason: BaseException) -> None:
        self.lost = self.lost or reason
        self._connection.ioloop.stop()
