"""Events come in from RabbitMQ."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pika
import pytest
from sqlalchemy import Engine, text

from loyalty_common.messaging import topology
from loyalty_common.messaging.message import Message
from loyalty_testing.rabbitmq import RabbitMQ


@pytest.fixture
def consume(environment: dict[str, str], rabbitmq: RabbitMQ) -> Iterator[subprocess.Popen[bytes]]:
    """The ``consume`` process at the broker."""
    process = subprocess.Popen(
        [sys.executable, "-m", "loyalty_webhooks", "consume"],
        env=environment | {"EVENTS_URL": rabbitmq.url, "PATH": os.environ["PATH"]},
        stderr=subprocess.DEVNULL,
    )
    yield process
    process.terminate()
    assert process.wait(30) == 0


@pytest.fixture
def publish(rabbitmq: RabbitMQ) -> Callable[..., None]:
    """``publish("stamp.issued", body, ...)`` as a relay does, over a connection of its own."""

    def send(event: str, *bodies: bytes) -> None:
        with pika.BlockingConnection(pika.URLParameters(rabbitmq.url)) as connection:
            channel = connection.channel()
            topology.declare(channel)
            for body in bodies:
                channel.basic_publish(topology.EXCHANGE, event, body)

    return send


def dead_letters(rabbitmq: RabbitMQ) -> int:
    with pika.BlockingConnection(pika.URLParameters(rabbitmq.url)) as connection:
        queue = connection.channel().queue_declare(topology.dead_letter_queue_of("webhooks"), passive=True)
        count: int = queue.method.message_count
        return count


def test_events_from_the_broker_are_logged_once_and_poison_is_set_aside(
    consume: subprocess.Popen[bytes],
    publish: Callable[..., None],
    purchase: Callable[..., Message],
    rabbitmq: RabbitMQ,
    engine: Engine,
    tenant_id: int,
) -> None:
    def logged() -> list[Any]:
        with engine.connect() as connection:
            query = text("select sequence from webhook_events where tenant_id = :tenant order by sequence")
            return list(connection.execute(query, {"tenant": tenant_id}).scalars())

    def wait(until: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not until():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    publish("loyalty.points_earned")  # nothing yet: the queues are there
    set_aside = dead_letters(rabbitmq)
    publish("loyalty.points_earned", b'{"id": "not ours"}')
    messages = [purchase().to_json() for _ in range(150)]
    publish("loyalty.points_earned", *(body for message in messages for body in (message, message)))
    wait(lambda: len(logged()) == 150)
    wait(lambda: dead_letters(rabbitmq) == set_aside + 1)
    rabbitmq.close_connections()
    publish("stamp.issued", purchase(event="stamp.issued").to_json())
    wait(lambda: len(logged()) == 151)
    assert logged() == list(range(1, 152))
