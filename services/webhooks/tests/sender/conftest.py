"""Senders as real processes, and what they leave in the database."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from loyalty_common import database
from loyalty_common.messaging.message import Message
from loyalty_webhooks.consumers.events import handler
from loyalty_webhooks.domain.secret_box import SecretBox
from loyalty_webhooks.sender.attempting import Attempter
from loyalty_webhooks.sender.sending import Sender
from loyalty_webhooks.settings import Settings
from loyalty_webhooks.transport.client import Client
from loyalty_webhooks.transport.dialing import Dialer


class Database:
    """What a test asks and does behind the service's back."""

    def __init__(self, engine: Engine, tenant_id: int) -> None:
        self.engine = engine
        self._tenant = {"tenant_id": tenant_id}

    def rows(self, statement: str, **parameters: Any) -> list[Any]:
        with self.engine.begin() as connection:
            result = connection.execute(text(statement), self._tenant | parameters)
            return list(result) if result.returns_rows else []

    def deliveries(self) -> list[Any]:
        return self.rows("select * from webhook_deliveries where tenant_id = :tenant_id order by id")

    def attempts(self) -> list[Any]:
        return self.rows("select * from webhook_attempts where tenant_id = :tenant_id order by delivery_id, number")

    def queue(self) -> list[Any]:
        return self.rows("select * from delivery_queue where tenant_id = :tenant_id order by delivery_id")

    def hasten(self) -> None:
        """What is waiting for its next attempt becomes due, but for what somebody is at work on right now."""
        self.rows("""
            update delivery_queue set next_attempt_at = now()
             where tenant_id = :tenant_id and delivery_id in (
                select delivery_id from delivery_queue where tenant_id = :tenant_id for update skip locked)
        """)

    def end_leases(self) -> None:
        """As if their time had passed."""
        self.rows("update delivery_queue set lease_until = now() where tenant_id = :tenant_id and claim_id is not null")

    def wait(self, until: Callable[[], Any], *, within_s: float = 20.0) -> Any:
        deadline = time.monotonic() + within_s
        while not (value := until()):
            assert time.monotonic() < deadline, f"not so within {within_s} s"
            time.sleep(0.01)
        return value

    def wait_for_statuses(self, *statuses: str) -> None:
        self.wait(lambda: tuple(row.status for row in self.deliveries()) == statuses)


@pytest.fixture
def db(engine: Engine, tenant_id: int) -> Database:
    return Database(engine, tenant_id)


class SenderProcess:
    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self._log = log
        with log.open("wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "loyalty_webhooks", "deliver"], env=environment, stderr=stderr
            )

    def lines(self) -> list[dict[str, Any]]:
        # Behind the last line break may stand half a line.
        return [json.loads(line) for line in self._log.read_text().split("\n")[:-1]]

    def logged(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line["event"] == event]

    def text(self) -> str:
        return self._log.read_text()


@pytest.fixture
def empty_queue(engine: Engine) -> None:
    """What earlier tests are owed is not for this one's senders."""
    with engine.begin() as connection:
        connection.execute(text("delete from delivery_queue"))


@pytest.fixture
def deliver(environment: dict[str, str], empty_queue: None, tmp_path: Path) -> Iterator[Callable[..., SenderProcess]]:
    """``deliver()`` starts a sender; those still running at the end are stopped and must end well."""
    started: list[SenderProcess] = []

    def start(**variables: str) -> SenderProcess:
        started.append(SenderProcess(environment | variables, tmp_path / f"sender-{len(started)}.log"))
        return started[-1]

    yield start
    running = [sender.process for sender in started if sender.process.poll() is None]
    for process in running:
        process.terminate()
    assert [process.wait(30) for process in running] == [0] * len(running), [sender.text() for sender in started]


@pytest.fixture
def sending(settings: Settings, empty_queue: None) -> Iterator[Callable[..., None]]:
    """``sending()`` runs a sender in this process until the test ends; keywords replace its settings."""
    stop = threading.Event()
    opened: list[tuple[threading.Thread, Client, Engine]] = []

    def start(**replaced: Any) -> None:
        its = dataclasses.replace(settings, **replaced)
        engine = database.create_engine(its.database_url, pool_size=3, application_name="sender under test")
        client = Client(Dialer(allowed_networks=its.allowed_networks))
        attempter = Attempter(client=client, secret_box=SecretBox(its.secret_keys), http_hosts=its.allowed_http_hosts)
        sender = Sender(engine=engine, attempter=attempter, threads=its.deliver_threads)
        opened.append((threading.Thread(target=sender.run, args=(stop,)), client, engine))
        opened[-1][0].start()

    yield start
    stop.set()
    for thread, client, engine in opened:
        thread.join(30)
        assert not thread.is_alive()
        client.close()
        engine.dispose()


@pytest.fixture
def endpoint(call: Callable[..., Any]) -> Callable[..., dict[str, Any]]:
    """``endpoint(receiver.url)`` is created through the API and returned with its secret."""

    def create(url: str, *, tenant: int = 0, **fields: Any) -> dict[str, Any]:
        answer = call("POST", "/webhook-endpoints", {"url": url, **fields}, tenant=tenant)
        assert answer.status_code == 201, answer.json
        made: dict[str, Any] = answer.json["data"]
        return made

    return create


@pytest.fixture
def publish(engine: Engine, purchase: Callable[..., Message]) -> Callable[..., list[Message]]:
    """``publish(3)``: as many new events of this test's tenant are taken in."""

    def take_in(count: int = 1, **fields: Any) -> list[Message]:
        messages = [purchase(**fields) for _ in range(count)]
        handler(engine)(messages)
        return messages

    return take_in
