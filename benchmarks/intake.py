"""Events from RabbitMQ until their deliveries are committed, beside a consumer that only acknowledges them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pika

from benchmarks import stage
from benchmarks.pace import Limit, Line, NotMeasured, Pace
from loyalty_common.messaging.message import Message
from loyalty_common.messaging.topology import EXCHANGE, queue_of
from loyalty_local.suite import Suite
from loyalty_testing.machine import ServerMissing
from loyalty_testing.rabbitmq import RabbitMQ

_EVENTS_PER_S = 2_000
_PREFETCH = 200
_ENDPOINT = "http://127.0.0.1:9/hook"  # nobody sends meanwhile


def from_rabbitmq(pace: Pace) -> list[Line]:
    """One ``loyalty-webhooks consume``; one endpoint wants every event."""
    try:
        broker = RabbitMQ.open()
    except ServerMissing as missing:
        raise NotMeasured(str(missing)) from missing
    try:
        with stage.suite_running(events_url=broker.url) as suite:
            merchant = stage.merchant_of(suite)
            stage.subscribe(merchant, _ENDPOINT)
            stage.stop_all_but(suite, "postgres")
            queue = Queue(broker.url, merchant.tenant_id)
            return pace.compare(
                "events from RabbitMQ to committed deliveries",
                lambda seconds: _take_in(suite, queue, seconds),
                Limit("bare pika", queue.acknowledge, reach=0.3),
            )
    finally:
        broker.close()


class Queue:
    """The queue of the webhooks service, filled as its publishers do."""

    def __init__(self, url: str, tenant_id: int) -> None:
        self._url = url
        self._tenant_id = tenant_id

    def fill(self, seconds: float) -> int:
        """How many messages stand in the queue now."""
        count = int(seconds * _EVENTS_PER_S)
        with self._channel() as channel:
            channel.queue_purge(queue_of("webhooks"))
            channel.confirm_delivery()
            for _ in range(count):
                channel.basic_publish(EXCHANGE, "loyalty.points_earned", self._message())
        return count

    def acknowledge(self, seconds: float) -> float:
        """What a consumer can do at most: nothing but acknowledge, as many at once as it may have in hand."""
        count, taken = self.fill(seconds), 0
        with self._channel() as channel:
            channel.basic_qos(prefetch_count=_PREFETCH)
            started_at = time.perf_counter()
            for delivery, _, _ in channel.consume(queue_of("webhooks")):
                taken += 1
                if taken % _PREFETCH == 0 or taken == count:
                    channel.basic_ack(delivery.delivery_tag or 0, multiple=True)
                if taken == count:
                    break
            took_s = time.perf_counter() - started_at
            channel.cancel()
        return count / took_s

    def _message(self) -> bytes:
        data = {"id": 502, "points_delta": 2, "amount": "24.50", "notes": "x" * 400, "customer": {"id": 1042}}
        return Message(
            id=uuid.uuid4(),
            event="loyalty.points_earned",
            publisher="programs",
            tenant_id=self._tenant_id,
            version=None,
            created_at=datetime.now(UTC),
            data=data,
        ).to_json()

    @contextmanager
    def _channel(self) -> Iterator[pika.adapters.blocking_connection.BlockingChannel]:
        with pika.BlockingConnection(pika.URLParameters(self._url)) as connection:
            yield connection.channel()


def _take_in(suite: Suite, queue: Queue, seconds: float) -> float:
    count = queue.fill(seconds)
    consumer = suite.processes["webhooks-consume"]
    with stage.database(suite, "webhooks") as webhooks:
        webhooks.execute("truncate delivery_queue")
        before = stage.count(webhooks, _OWED)
        consumer.start()
        # Its own start is not what is measured.
        stage.wait_until(lambda: stage.count(webhooks, _OWED) > before, what="the first events", every_s=0.002)
        first, started_at = stage.count(webhooks, _OWED), time.perf_counter()
        stage.wait_until(
            lambda: stage.count(webhooks, _OWED) == before + count, what=f"{count} events are taken in", every_s=0.005
        )
        took_s = time.perf_counter() - started_at
    consumer.stop()
    return (before + count - first) / took_s


_OWED = "select coalesce(max(last_sequence), 0) from event_sequences"
