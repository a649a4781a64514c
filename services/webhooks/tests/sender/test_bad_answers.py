"""Answers that are made to hurt, to a sender as it runs: hard test 7 of the webhooks' design.

What each does to the client is in tests/transport/test_bad_receivers.py.
"""

from __future__ import annotations

import gzip
import os
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from loyalty_testing.soak import SOAKING

ENDPOINTS = 40 if SOAKING else 4  # of each kind
SLOW_ENDPOINTS = 4 if SOAKING else 0  # each of their attempts takes the 15 s that it is given
EVENTS = 4  # fewer than open a breaker
GROWTH_KIB = 30_000
pytestmark = [pytest.mark.soak, pytest.mark.timeout(900 if SOAKING else 300)]

OK = b"HTTP/1.1 200 OK\r\n"
BOMB = gzip.compress(bytes(30_000_000))


def pour(to: socket.socket) -> None:
    to.sendall(OK + b"\r\n")
    while True:
        to.sendall(b"x" * 65_536)


def drip(to: socket.socket) -> None:
    to.sendall(OK + b"X-Slow: ")
    while True:
        to.sendall(b"a")
        time.sleep(1)


# With what is kept of each: status code and the stage at which it failed.
ANSWERS: dict[str, tuple[Callable[[socket.socket], Any], int | None, str | None]] = {
    "endless body": (pour, 200, None),
    "gzip bomb": (lambda to: to.sendall(OK + b"Content-Encoding: gzip\r\n\r\n" + BOMB), 200, None),
    "megabyte of headers": (lambda to: to.sendall(OK + b"X-Long: " + b"a" * 1_000_000 + b"\r\n\r\n"), None, "headers"),
    "early close": (lambda to: to.sendall(OK + b"Content-Length: 10\r\n\r\nhalf"), 200, "body"),
    "NUL and no UTF-8": (lambda to: to.sendall(OK + b"Content-Length: 5\r\n\r\na\x00b\xff\xfe"), 200, None),
    "a byte a second": (drip, 200, "deadline"),
}


@pytest.fixture
def listen() -> Iterator[Callable[[Callable[[socket.socket], Any]], str]]:
    """``listen(behaviour)`` opens a receiver that reads each request and does this to it; its URL."""
    with ExitStack() as opened:

        def behave(connection: socket.socket, behaviour: Callable[[socket.socket], Any]) -> None:
            with connection, suppress(OSError):
                connection.recv(65_536)
                behaviour(connection)

        def accept(listener: socket.socket, behaviour: Callable[[socket.socket], Any]) -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=behave, args=(connection, behaviour), daemon=True).start()

        def start(behaviour: Callable[[socket.socket], Any]) -> str:
            listener = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=512))
            threading.Thread(target=accept, args=(listener, behaviour), daemon=True).start()
            return f"http://127.0.0.1:{listener.getsockname()[1]}/"

        yield start


def endpoints_of(behaviour: Callable[[socket.socket], Any]) -> int:
    return SLOW_ENDPOINTS if behaviour is drip else ENDPOINTS


def memory_kib(pid: int) -> int:
    return int(re.findall(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[0])


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="memory is read from /proc")
def test_no_answer_costs_memory_or_a_slot_and_every_attempt_is_kept(
    receiver: Any, listen: Any, deliver: Any, endpoint: Any, publish: Callable[..., Any], db: Any
) -> None:
    good = endpoint(receiver.url)["id"]
    sender = deliver(LOG_LEVEL="error", DELIVER_THREADS="64")
    publish(200)
    receiver.wait_for(200, within_s=60)
    before_kib = memory_kib(sender.process.pid)
    kinds = {
        endpoint(f"{url}?{number}")["id"]: name
        for name, (behaviour, *_) in ANSWERS.items()
        for url in [listen(behaviour)]
        for number in range(endpoints_of(behaviour))
    }
    publish(EVENTS)
    first = "select * from webhook_attempts where tenant_id = :tenant_id and number = 1 and endpoint_id <> :good"
    db.wait(lambda: len(db.rows(first, good=good)) == len(kinds) * EVENTS, within_s=600 if SOAKING else 90)
    kept = Counter((kinds[one.endpoint_id], one.status_code, one.error_stage) for one in db.rows(first, good=good))
    assert kept == Counter(
        {(name, *end): endpoints_of(behaviour) * EVENTS for name, (behaviour, *end) in ANSWERS.items()}
    )
    db.rows("update webhook_endpoints set is_active = (id = :good) where tenant_id = :tenant_id", good=good)
    publish(200)
    receiver.wait_for(400 + EVENTS, within_s=60)
    grown_kib = memory_kib(sender.process.pid) - before_kib
    print(f"\n{kept.total():,} hostile answers: the sender grew by {grown_kib / 1024:.1f} MiB")  # noqa: T201 (pytest -s)
    assert grown_kib < GROWTH_KIB
    sender.process.kill()
    sender.process.wait()
