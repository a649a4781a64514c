"""The worst receivers there are, and good ones beside them whose deliveries are measured."""

from __future__ import annotations

import itertools
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any

import pytest

from loyalty_common.messaging.message import Message
from loyalty_webhooks.consumers.events import handler

Behaviour = Callable[[socket.socket], None]


def drip_headers(connection: socket.socket) -> None:
    drip(connection, b"HTTP/1.1 200 OK\r\nX-Padding: " + b"x" * 1_000)


def drip_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    drip(connection, b"x" * 1_000)


def say_nothing(connection: socket.socket) -> None:
    while connection.recv(65_536):
        pass


def drip(connection: socket.socket, answer: bytes) -> None:
    """A byte a second, until the other side has had enough."""
    for position in range(len(answer)):
        connection.sendall(answer[position : position + 1])
        time.sleep(1)


class BadReceivers:
    """On loopback, closed at the end. Each method opens one and returns its URL."""

    def __init__(self, opened: ExitStack) -> None:
        self._opened = opened

    def tarpit(self) -> str:
        return self._listening(say_nothing)

    def dripping_headers(self) -> str:
        return self._listening(drip_headers)

    def dripping_body(self) -> str:
        return self._listening(drip_body)

    def _listening(self, behaviour: Behaviour) -> str:
        listener = self._opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=512))
        threading.Thread(target=self._accept, args=(listener, behaviour), daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/"

    def dead_port(self) -> str:
        """Bound and not listened on: every connection is refused, and nobody else gets the port."""
        bound = self._opened.enter_context(socket.socket())
        bound.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{bound.getsockname()[1]}/"

    def _accept(self, listener: socket.socket, behaviour: Behaviour) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=self._behave, args=(connection, behaviour), daemon=True).start()

    def _behave(self, connection: socket.socket, behaviour: Behaviour) -> None:
        with connection, suppress(OSError):
            behaviour(connection)


@pytest.fixture
def bad_receivers() -> Iterator[BadReceivers]:
    with ExitStack() as opened:
        yield BadReceivers(opened)


@dataclass(frozen=True)
class Pace:
    """How fast good receivers got what was owed to them."""

    per_s: float
    p50_ms: float
    p99_ms: float

    def __str__(self) -> str:
        return f"{self.per_s:,.0f} deliveries/s, p50 {self.p50_ms:,.0f} ms, p99 {self.p99_ms:,.0f} ms"


class Neighbourhood:
    """An organization with good endpoints, all of them on one receiver."""

    def __init__(self, db: Any, receiver: Any, call: Callable[..., Any], tenant_id: int) -> None:
        self.db, self.receiver, self.tenant_id = db, receiver, tenant_id
        self._call = call
        self._good = 0

    def endpoint(self, url: str, *, tenant: int = 0) -> int:
        answer = self._call("POST", "/webhook-endpoints", {"url": url}, tenant=tenant or self.tenant_id)
        assert answer.status_code == 201, answer.json
        endpoint_id: int = answer.json["data"]["id"]
        return endpoint_id

    def good_endpoints(self, count: int) -> None:
        for _ in range(count):
            self.endpoint(f"{self.receiver.url}?good={next(_numbers)}")
        self._good += count

    def publish(self, messages: list[Message]) -> None:
        for begin in range(0, len(messages), 200):
            handler(self.db.engine)(messages[begin : begin + 200])

    def owe(self, purchase: Callable[..., Message], count: int, *, to: int) -> None:
        """A backlog for one endpoint, while the others are closed."""
        close = "update webhook_endpoints set is_active = (id = :id) where tenant_id = :tenant_id"
        self.db.rows(close, id=to)
        self.publish([purchase() for _ in range(count)])
        self.db.rows("update webhook_endpoints set is_active = true where tenant_id = :tenant_id")

    def burst(self, purchase: Callable[..., Message], events: int) -> float:
        """Deliveries a second, when so many events are owed to every good endpoint at once."""
        self.receiver.received.clear()
        self.publish([purchase() for _ in range(events)])
        started = time.monotonic()
        self._wait_for(events * self._good)
        return events * self._good / (time.monotonic() - started)

    def trickle(self, purchase: Callable[..., Message], events: int, *, every_s: float) -> list[float]:
        """How long each delivery took, in milliseconds, from the commit to its arrival, when there is no hurry."""
        self.receiver.received.clear()
        committed: dict[str, float] = {}
        for _ in range(events):
            message = purchase()
            self.publish([message])
            committed[str(message.id)] = time.time()
            time.sleep(every_s)
        self._wait_for(events * self._good)
        return [(one.at - committed[one.headers["webhook-id"]]) * 1_000 for one in self._arrived()]

    def measure(self, purchase: Callable[..., Message], *, burst: int, trickle: int, every_s: float) -> Pace:
        per_s = self.burst(purchase, burst)
        took = self.trickle(purchase, trickle, every_s=every_s)
        cuts = statistics.quantiles(took, n=100)
        return Pace(per_s, p50_ms=cuts[49], p99_ms=cuts[98])

    def _arrived(self) -> list[Any]:
        return [one for one in self.receiver.received if "good=" in one.path]

    def _wait_for(self, count: int) -> None:
        self.db.wait(lambda: len(self._arrived()) >= count, within_s=240)


_numbers = itertools.count(1)


@pytest.fixture
def neighbourhood(db: Any, receiver: Any, call: Callable[..., Any], tenant_id: int) -> Neighbourhood:
    return Neighbourhood(db, receiver, call, tenant_id)
