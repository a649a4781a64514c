"""Hard test 9: the same event a thousand times at once, and consumers that are killed over it."""

from __future__ import annotations

import os
import signal
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

pytestmark = pytest.mark.soak

COPIES, CONSUMERS, ENDPOINTS = 1_000, 3, 3
_WAITING = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and application_name like '%consume'"


@pytest.fixture
def consumers(environment: dict[str, str], rabbitmq: RabbitMQ) -> Iterator[Callable[[], list[subprocess.Popen[bytes]]]]:
    """``consumers()`` starts as many as work side by side; those that live at the end must end well."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> list[subprocess.Popen[bytes]]:
        command = [sys.executable, "-m", "loyalty_webhooks", "consume"]
        variables = environment | {"EVENTS_URL": rabbitmq.url}
        new = [subprocess.Popen(command, env=variables, stderr=subprocess.DEVNULL) for _ in range(CONSUMERS)]
        started.extend(new)
        return new

    yield start
    living = [process for process in started if process.poll() is None]
    for process in living:
        process.terminate()
    assert [process.wait(30) for process in living] == [0] * len(living)


def wait(until: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_thousand_copies_of_an_event_with_crashes_make_one_delivery_per_endpoint(
    consumers: Callable[[], list[subprocess.Popen[bytes]]],
    purchase: Callable[..., Message],
    rabbitmq: RabbitMQ,
    engine: Engine,
    call: Callable[..., Any],
    tenant_id: int,
) -> None:
    def count(statement: str) -> int:
        with engine.connect() as connection:
            found: int = connection.execute(text(statement), {"tenant_id": tenant_id}).scalar_one()
            return found

    for _ in range(ENDPOINTS):
        assert call("POST", "/webhook-endpoints", {"url": "https://127.0.0.1/"}).status_code == 201
    with pika.BlockingConnection(pika.URLParameters(rabbitmq.url)) as connection, engine.connect() as blocking:
        channel = connection.channel()
        topology.declare(channel)
        body = purchase().to_json()
        for _ in range(COPIES):
            channel.basic_publish(topology.EXCHANGE, "loyalty.points_earned", body)
        # The log is locked: whoever took the event in waits with an inbox row that nobody sees, the others for him.
        with blocking.begin():
            blocking.execute(text("insert into event_sequences values (:tenant_id, 0)"), {"tenant_id": tenant_id})
            for _ in range(2):
                crashing = consumers()
                wait(lambda: count(_WAITING) >= CONSUMERS)
                for process in crashing:
                    os.kill(process.pid, signal.SIGKILL)
                    process.wait()
                with engine.begin() as cut:  # what an operating system's keep-alive does in the end
                    cut.execute(
                        text("""
                            select pg_terminate_backend(pid) from pg_stat_activity
                             where application_name like '%consume'
                        """)
                    )
            consumers()
            wait(lambda: count(_WAITING) >= CONSUMERS)
        queue = topology.queue_of("webhooks")
        wait(lambda: channel.queue_declare(queue, passive=True).method.message_count == 0)
        wait(lambda: count("select count(*) from webhook_events where tenant_id = :tenant_id"))
    assert count("select count(*) from webhook_events where tenant_id = :tenant_id") == 1
    assert count("select last_sequence from event_sequences where tenant_id = :tenant_id") == 1
    deliveries = "from webhook_deliveries where tenant_id = :tenant_id"
    assert count(f"select count(distinct endpoint_id) {deliveries}") == ENDPOINTS
    assert count(f"select count(*) {deliveries}") == ENDPOINTS
    assert count("select count(*) from delivery_queue where tenant_id = :tenant_id") == ENDPOINTS
