"""What a replay queues, how much of it at a time, and what comes of it when its worker dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from loyalty_common.messaging.message import Message
from loyalty_webhooks.consumers.events import handler
from loyalty_webhooks.domain import replaying

Call = Callable[..., Any]
Purchase = Callable[..., Message]


@pytest.fixture
def rows(engine: Engine, tenant_id: int) -> Callable[..., list[Any]]:
    def run(statement: str, **parameters: Any) -> list[Any]:
        with engine.begin() as connection:
            result = connection.execute(text(statement), {"tenant_id": tenant_id, **parameters})
            return list(result) if result.returns_rows else []

    return run


@pytest.fixture
def make_endpoint(call: Call) -> Callable[..., int]:
    def make(**fields: Any) -> int:
        made: int = call("POST", "/webhook-endpoints", {"url": "https://127.0.0.1/", **fields}).json["data"]["id"]
        return made

    return make


@pytest.fixture
def order(call: Call) -> Callable[..., int]:
    """Orders a replay of the last hour; its id."""

    def order(endpoint_id: int, **wanted: Any) -> int:
        body = {"since": (datetime.now(UTC) - timedelta(hours=1)).isoformat(), "only": "all", **wanted}
        made = call("POST", f"/webhook-endpoints/{endpoint_id}/replay", body)
        assert made.status_code == 201, made.json
        replay_id: int = made.json["data"]["id"]
        return replay_id

    return order


@pytest.fixture
def end(rows: Callable[..., list[Any]]) -> Callable[..., None]:
    """What is queued comes to its end, as if senders had been at work."""

    def end(status: str = "succeeded") -> None:
        rows(
            "with done as (delete from delivery_queue where tenant_id = :tenant_id returning delivery_id) "
            "update webhook_deliveries set status = :status, attempt_count = attempt_count + 1, completed_at = now() "
            "where tenant_id = :tenant_id and id in (select delivery_id from done)",
            status=status,
        )

    return end


@pytest.fixture
def work(engine: Engine, rows: Callable[..., list[Any]]) -> Callable[[], int]:
    """Lets the workers take a step with this tenant's replay; how many deliveries are queued then."""

    def work() -> int:
        rows("update webhook_replays set due_at = now() where tenant_id = :tenant_id and due_at is not null")
        while replaying.step(engine):
            pass
        return len(rows("select from delivery_queue where tenant_id = :tenant_id"))

    return work


def test_all_means_also_what_an_endpoint_never_got(
    make_endpoint: Callable[..., int], order: Any, work: Any, end: Any, rows: Any, engine: Engine, purchase: Purchase
) -> None:
    handler(engine)([purchase() for _ in range(3)])
    endpoint_id = make_endpoint()
    handler(engine)([purchase() for _ in range(2)])
    end()
    order(endpoint_id)
    assert work() == 5
    deliveries = rows("select * from webhook_deliveries where tenant_id = :tenant_id order by sequence")
    assert [(one.sequence, one.trigger, one.attempt_count) for one in deliveries] == [
        (1, "replay", 0),
        (2, "replay", 0),
        (3, "replay", 0),
        (4, "replay", 1),
        (5, "replay", 1),
    ]


def test_failed_means_what_was_given_up(
    make_endpoint: Callable[..., int], order: Any, work: Any, end: Any, rows: Any, engine: Engine, purchase: Purchase
) -> None:
    endpoint_id = make_endpoint()
    handler(engine)([purchase(), purchase()])
    end("exhausted")
    handler(engine)([purchase()])
    end("succeeded")
    handler(engine)([purchase()])
    replay_id = order(endpoint_id, only="failed")
    assert work() == 3
    queued = rows("select sequence from webhook_deliveries where tenant_id = :tenant_id and trigger = 'replay'")
    assert sorted(one.sequence for one in queued) == [1, 2]
    (replay,) = rows("select * from webhook_replays where tenant_id = :tenant_id and id = :id", id=replay_id)
    assert (replay.status, replay.total, replay.processed) == ("succeeded", 2, 2)


def test_only_events_of_the_time_that_are_wanted_by_order_and_endpoint_come_again(
    make_endpoint: Callable[..., int], order: Any, work: Any, end: Any, rows: Any, engine: Engine, purchase: Purchase
) -> None:
    endpoint_id = make_endpoint(events=["loyalty.points_earned", "stamp.issued"])
    now = datetime.now(UTC)
    wanted = purchase(created_at=now - timedelta(minutes=10))
    handler(engine)(
        [
            purchase(created_at=now - timedelta(minutes=40)),
            wanted,
            purchase(created_at=now - timedelta(minutes=10), event="stamp.issued"),
            purchase(created_at=now - timedelta(minutes=10), event="voucher.redeemed"),
            purchase(created_at=now),
        ]
    )
    end()
    order(
        endpoint_id,
        since=(now - timedelta(minutes=20)).isoformat(),
        until=(now - timedelta(minutes=5)).isoformat(),
        events=["loyalty.points_earned", "voucher.redeemed"],
    )
    assert work() == 1
    assert [one.event_id for one in rows("select event_id from delivery_queue where tenant_id = :tenant_id")] == [
        wanted.id
    ]


def test_a_replay_never_queues_more_than_its_endpoint_has_room_for(
    make_endpoint: Callable[..., int], order: Any, work: Any, end: Any, rows: Any, engine: Engine, purchase: Purchase
) -> None:
    endpoint_id = make_endpoint()
    for _ in range(3):
        handler(engine)([purchase() for _ in range(50)])
    end()
    handler(engine)([purchase() for _ in range(10)])
    replay_id = order(endpoint_id)
    assert work() == replaying.WINDOW
    assert work() == replaying.WINDOW
    end()
    assert work() == replaying.WINDOW
    end()
    assert work() == 150 - (replaying.WINDOW - 10) - replaying.WINDOW
    (replay,) = rows("select * from webhook_replays where tenant_id = :tenant_id and id = :id", id=replay_id)
    assert (replay.status, replay.processed) == ("succeeded", 150)


def test_a_replay_of_a_deleted_endpoint_ends(
    make_endpoint: Callable[..., int], order: Any, work: Any, call: Call, engine: Engine, purchase: Purchase
) -> None:
    endpoint_id = make_endpoint()
    replay_id = order(endpoint_id)
    handler(engine)([purchase()])
    call("DELETE", f"/webhook-endpoints/{endpoint_id}")
    assert work() == 0
    job = call("GET", f"/webhook-replays/{replay_id}").json["data"]["job"]
    assert (job["status"], job["error"]) == ("failed", "The endpoint was deleted.")


def test_a_replay_goes_on_where_its_worker_was_killed(
    make_endpoint: Callable[..., int],
    order: Any,
    end: Any,
    rows: Any,
    engine: Engine,
    purchase: Purchase,
    environment: dict[str, str],
) -> None:
    """Senders are played by ``end``, again and again; every event comes once, none is skipped."""
    count = 1_000
    handler(engine)([purchase() for _ in range(count)])
    endpoint_id = make_endpoint()
    replay_id = order(endpoint_id)
    started = [sys.executable, "-m", "loyalty_webhooks", "work"]
    deadline = time.monotonic() + 60
    kills, worker = 0, subprocess.Popen(started, env=environment)
    try:
        while True:
            assert time.monotonic() < deadline
            end()
            (replay,) = rows("select * from webhook_replays where tenant_id = :tenant_id and id = :id", id=replay_id)
            if replay.status == "succeeded":
                break
            if replay.processed > 200 * (kills + 1):
                os.kill(worker.pid, signal.SIGKILL)
                worker.wait()
                kills, worker = kills + 1, subprocess.Popen(started, env=environment)
            time.sleep(0.01)
    finally:
        worker.terminate()
        worker.wait(30)
    end()
    assert kills >= 3
    assert replay.processed == count
    deliveries = rows("select sequence, attempt_count from webhook_deliveries where tenant_id = :tenant_id")
    assert sorted(tuple(one) for one in deliveries) == [(number, 1) for number in range(1, count + 1)]
