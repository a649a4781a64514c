"""A replay over a long log: its worker is killed again and again, no event is skipped, and live events do not notice.

Hard test 10 of the webhooks' design.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from loyalty_testing.soak import SOAKING

LOGGED, LOST = (1_000_000, 10_000) if SOAKING else (10_000, 500)
LIVE = 200 if SOAKING else 30
pytestmark = [pytest.mark.soak, pytest.mark.timeout(1_800 if SOAKING else 300)]

# The events of most of an hour, each delivered or, every so often, given up.
_LOG = """
    with logged as (
        insert into webhook_events (tenant_id, id, created_at, sequence, event, payload)
        select :tenant_id, gen_random_uuid(), now() - interval '1 hour' + n * interval '50 minutes' / :logged, n,
               'stamp.issued', '{}'
          from generate_series(1, :logged) n
        returning *
    ), numbered as (insert into event_sequences (tenant_id, last_sequence) values (:tenant_id, :logged))
    insert into webhook_deliveries (tenant_id, event_created_at, event_id, event, sequence, endpoint_id, trigger,
                                    status, attempt_count, created_at, completed_at)
    select tenant_id, created_at, id, event, sequence, :endpoint_id, 'event',
           case when sequence % (:logged / :lost) = 0 then 'exhausted' else 'succeeded' end, 1, created_at, created_at
      from logged
"""


@pytest.fixture
def dying_worker(environment: dict[str, str], db: Any) -> Iterator[Callable[[], int]]:
    """The process that carries replays out, killed as soon as it came on a little; how often it has died so far."""
    over, deaths = threading.Event(), 0

    def progress() -> list[Any]:
        return db.rows("select counted_to, position from webhook_replays where tenant_id = :tenant_id")

    def live_and_die() -> None:
        nonlocal deaths
        while not over.is_set():
            before = progress()
            with subprocess.Popen([sys.executable, "-m", "loyalty_webhooks", "work"], env=environment) as process:
                while progress() == before and not over.wait(0.05):
                    pass
                over.wait(deaths % 5 / 2)
                process.kill()
            deaths += 1

    thread = threading.Thread(target=live_and_die)
    thread.start()
    yield lambda: deaths
    over.set()
    thread.join()


@pytest.fixture
def latencies_ms(publish: Callable[..., Any], receiver: Any) -> Callable[[], list[float]]:
    """Of live events one after the other, from their intake to their arrival."""

    def measure() -> list[float]:
        found = []
        for _ in range(LIVE):
            started_at = time.time()
            [message] = publish()
            while str(message.id) not in (each.headers["webhook-id"] for each in receiver.received[-200:]):
                assert time.time() - started_at < 60
                time.sleep(0.001)
            found.append((time.time() - started_at) * 1000)
        return sorted(found)

    return measure


def test_a_long_replay_skips_nothing_and_live_events_go_past_it(
    call: Any, db: Any, endpoint: Any, receiver: Any, deliver: Any, latencies_ms: Any, dying_worker: Any
) -> None:
    endpoint_id = endpoint(receiver.url)["id"]
    db.rows(_LOG, endpoint_id=endpoint_id, logged=LOGGED, lost=LOST)
    deliver()
    latencies_ms()  # the endpoint has to be known as one that answers
    calm = latencies_ms()
    live_before = len(receiver.received)
    wanted = {"since": (datetime.now(UTC) - timedelta(hours=2)).isoformat(), "only": "failed"}
    replay_id = call("POST", f"/webhook-endpoints/{endpoint_id}/replay", wanted).json["data"]["id"]
    died_before, started_at = dying_worker(), time.monotonic()
    busy = latencies_ms()

    def job() -> dict[str, Any]:
        time.sleep(0.1)
        shown: dict[str, Any] = call("GET", f"/webhook-replays/{replay_id}").json["data"]["job"]
        return shown

    db.wait(lambda: job()["status"] == "succeeded", within_s=1_500)
    took_s, deaths = time.monotonic() - started_at, dying_worker() - died_before
    db.wait(lambda: db.queue() == [])
    p99 = [found[int(len(found) * 0.99)] for found in (calm, busy)]
    print(f"\n{LOST:,} of {LOGGED:,} events replayed in {took_s:.0f} s by a worker that died {deaths} times.")  # noqa: T201
    print(f"Live p99 before {p99[0]:.0f} ms, meanwhile {p99[1]:.0f} ms.")  # noqa: T201
    assert job()["processed"] == LOST
    lost = db.rows(
        "select id from webhook_events where tenant_id = :tenant_id and event = 'stamp.issued' and sequence % :nth = 0",
        nth=LOGGED // LOST,
    )
    arrived = Counter(each.headers["webhook-id"] for each in receiver.received[live_before:])
    assert [arrived[str(row.id)] for row in lost] == [1] * LOST
    assert len(arrived) == LOST + LIVE
    assert deaths > 0
    if SOAKING:
        assert p99[1] <= 2 * p99[0] + 20
