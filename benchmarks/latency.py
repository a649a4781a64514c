"""How long something takes while little else goes on: an event to its receiver, a request through the door."""

from __future__ import annotations

import http.client
import random
import socket
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks import proxying, stage
from benchmarks.pace import Line, NotMeasured, Pace
from benchmarks.stage import Merchant
from loyalty_local.suite import Suite
from loyalty_testing.machine import ServerMissing
from loyalty_testing.rabbitmq import RabbitMQ
from loyalty_testing.receiver import Receiver, receiving

_CREDITS = 200
_WARM_UP = 20
_RATE = 500
_CLIENTS = 4
# Apart enough to leave the suite idle in between, and never in step with what polls.
_PAUSE_S = (0.03, 0.09)


def on_the_embedded_transport(_: Pace) -> list[Line]:
    return _measure("embedded transport", events_url=None)


def on_rabbitmq(_: Pace) -> list[Line]:
    try:
        broker = RabbitMQ.open()
    except ServerMissing as missing:
        raise NotMeasured(str(missing)) from missing
    try:
        return _measure("RabbitMQ", events_url=broker.url)
    finally:
        broker.close()


def added_by_the_gateway(pace: Pace) -> list[Line]:
    """At 500 requests a second, by turns to the upstream itself and through the gateway."""
    seconds = max(1.0, pace.seconds)
    with proxying.staged() as at:
        paced: dict[int, list[float]] = {port: [] for port in (at.upstream, at.gateway)}
        for port in paced:
            _paced(port, at.authorization, seconds=1.0)
        for _ in range(pace.rounds):
            for port, took_s in paced.items():
                took_s += _paced(port, at.authorization, seconds=seconds)
    lines = []
    for percent, limit_ms in ((50, 1), (99, 5)):
        alone, through = (statistics.quantiles(took_s, n=100)[percent - 1] * 1000 for took_s in paced.values())
        measured = f"GET at {_RATE} requests/s through the gateway, p{percent}"
        added = f"{through - alone:.2f} ms"
        lines.append(Line(measured, f"{through:.2f} ms", f"upstream: {alone:.2f} ms", f"+{added}", f"≤ {limit_ms} ms"))
    return lines


def _paced(port: int, authorization: str, *, seconds: float) -> list[float]:
    """What each request took, from the moment at which it was due: a late answer must not hide those behind it."""
    request = f"GET {proxying.PATH} HTTP/1.1\r\nHost: a\r\nAuthorization: {authorization}\r\n\r\n".encode()
    every_s, begins_at = _CLIENTS / _RATE, time.perf_counter() + 0.1

    def ask(number: int) -> list[float]:
        took_s = []
        with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for turn in range(int(seconds / every_s)):
                due_at = begins_at + number / _RATE + turn * every_s
                time.sleep(max(0.0, due_at - time.perf_counter()))
                sock.sendall(request)
                answer = http.client.HTTPResponse(sock)
                answer.begin()
                answer.read()
                took_s.append(time.perf_counter() - due_at)
                if answer.status != 200:
                    raise NotMeasured(f"a request was answered {answer.status}")
        return took_s

    with ThreadPoolExecutor(_CLIENTS) as clients:
        return [took for each in clients.map(ask, range(_CLIENTS)) for took in each]


def _measure(transport: str, *, events_url: str | None) -> list[Line]:
    with stage.suite_running(events_url=events_url) as suite, receiving() as receiver:
        # PostgreSQL itself notes when each transaction was committed.
        stage.configure_postgres(suite, "track_commit_timestamp", "on")
        suite.processes["postgres"].restart()
        suite.wait_ready()
        merchant = stage.merchant_of(suite)
        stage.subscribe(merchant, receiver.url)
        for number in range(_WARM_UP + _CREDITS):
            stage.credit(merchant, f"purchase {number}")
            time.sleep(random.uniform(*_PAUSE_S))
        took_s = sorted(_arrivals_after_commit(suite, merchant, receiver)[_WARM_UP:])
    p50, p99 = statistics.median(took_s), took_s[int(len(took_s) * 0.99)]
    measured = f"commit to first byte at the receiver, {transport}"
    return [
        Line(f"{measured}, p50", f"{p50 * 1000:.0f} ms", "–", "–", "≤ 50 ms"),
        Line(f"{measured}, p99", f"{p99 * 1000:.0f} ms", "–", "–", "≤ 250 ms"),
    ]


def _arrivals_after_commit(suite: Suite, merchant: Merchant, receiver: Receiver) -> list[float]:
    """In the order of the purchases."""
    received = receiver.events("loyalty.points_earned", _WARM_UP + _CREDITS)
    arrived_at = {one.envelope["data"]["id"]: one.at for one in reversed(received)}
    with stage.database(suite, "programs") as programs:
        committed = programs.execute(
            "select id, extract(epoch from pg_xact_commit_timestamp(xmin))::float8 from points_transactions"
            " where tenant_id = %s and reference like 'purchase %%' order by id",
            [merchant.tenant_id],
        ).fetchall()
    return [arrived_at[transaction_id] - committed_at for transaction_id, committed_at in committed]
