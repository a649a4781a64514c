"""From the commit of a purchase to the first byte of its event at the receiver, while nothing else goes on."""

from __future__ import annotations

import random
import statistics
import time

from benchmarks import stage
from benchmarks.pace import Line, NotMeasured, Pace
from benchmarks.stage import Merchant
from loyalty_local.suite import Suite
from loyalty_testing.machine import ServerMissing
from loyalty_testing.rabbitmq import RabbitMQ
from loyalty_testing.receiver import Receiver, receiving

_CREDITS = 200
_WARM_UP = 20
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
