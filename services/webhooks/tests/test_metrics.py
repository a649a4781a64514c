"""What is left to deliver, and what the processes show of it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from sqlalchemy import Engine, text

from loyalty_common.messaging.message import Message
from loyalty_testing.machine import free_port
from loyalty_webhooks.consumers.events import handler
from loyalty_webhooks.sender.figures import delivery_figures


@contextmanager
def metrics_of(environment: dict[str, str], command: str) -> Iterator[str]:
    """What a process of this service shows once it has started."""
    port = free_port()
    own = {"METRICS_PORT": str(port), "BIND": f"127.0.0.1:{free_port()}", "LOG_LEVEL": "error"}
    process = subprocess.Popen([sys.executable, "-m", "loyalty_webhooks", command], env=environment | own)
    try:
        yield _scraped(process, port)
    finally:
        process.terminate()
        process.wait(30)


def _scraped(process: subprocess.Popen[bytes], port: int) -> str:
    deadline = time.monotonic() + 60
    while True:
        try:
            return requests.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text
        except requests.ConnectionError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_deliveries_are_due_then_in_flight_and_held_while_their_endpoint_is_left_alone(
    engine: Engine, call: Callable[..., Any], purchase: Callable[..., Message], tenant_id: int
) -> None:
    def shown() -> dict[str, float]:
        return {
            family.name.removeprefix("loyalty_webhook_"): family.samples[0].value
            for family in delivery_figures(engine).collect()
        }

    def change(statement: str) -> None:
        with engine.begin() as connection:
            connection.execute(text(statement), {"tenant_id": tenant_id, "endpoint_id": endpoint["id"]})

    before = shown()
    endpoint = call("POST", "/webhook-endpoints", {"url": "https://127.0.0.1/"}).json["data"]
    handler(engine)([purchase() for _ in range(3)])
    assert shown()["deliveries_due"] == before["deliveries_due"] + 3
    change("update delivery_queue set next_attempt_at = now() - interval '1 day' where tenant_id = :tenant_id")
    change(
        "update delivery_queue set claim_id = gen_random_uuid(), lease_until = now() + interval '1 minute' where "
        "ctid = (select ctid from delivery_queue where tenant_id = :tenant_id limit 1)"
    )
    left = shown()
    assert left["deliveries_due"] == before["deliveries_due"] + 2
    assert left["deliveries_in_flight"] == before["deliveries_in_flight"] + 1
    assert left["oldest_due_seconds"] >= 86_400
    change(
        "insert into lanes (tenant_id, endpoint_id, blocked_until) values (:tenant_id, :endpoint_id, now() + '1 hour')"
    )
    left = shown()
    assert left["deliveries_due"] == before["deliveries_due"]
    assert left["deliveries_held"] == before["deliveries_held"] + 2
    assert left["lanes_blocked"] == before["lanes_blocked"] + 1
    change("delete from lanes where tenant_id = :tenant_id")
    call("PATCH", f"/webhook-endpoints/{endpoint['id']}", {"is_active": False})
    assert shown()["deliveries_held"] == before["deliveries_held"] + 2
    change("delete from delivery_queue where tenant_id = :tenant_id")


@pytest.mark.parametrize(
    ("command", "figure"),
    [
        ("serve", "loyalty_database_pool_size 10.0"),
        ("deliver", "loyalty_webhook_deliveries_due"),
        ("relay", "loyalty_outbox_rows"),
    ],
)
def test_a_process_shows_its_figures(engine: Engine, environment: dict[str, str], command: str, figure: str) -> None:
    with metrics_of(environment | {"DATABASE_POOL_SIZE": "10"}, command) as shown:
        assert figure in shown
