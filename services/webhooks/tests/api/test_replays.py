"""Ordering a replay, looking at it, cancelling it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from loyalty_webhooks.domain import replaying

Call = Callable[..., Any]
SINCE = "2026-05-01T00:00:00+00:00"
ALL = {"since": SINCE, "only": "all"}


@pytest.fixture
def endpoint_id(call: Call) -> int:
    made: int = call("POST", "/webhook-endpoints", {"url": "https://127.0.0.1/"}).json["data"]["id"]
    return made


def test_a_replay_is_a_job_with_progress(call: Call, endpoint_id: int) -> None:
    wanted = {"since": SINCE, "until": "2026-05-16T12:00:00Z", "events": ["voucher.redeemed"], "only": "failed"}
    answer = call("POST", f"/webhook-endpoints/{endpoint_id}/replay", wanted)
    assert answer.status_code == 201
    replay = answer.json["data"]
    created_at = replay["created_at"]
    assert replay == {
        "id": replay["id"],
        "endpoint_id": endpoint_id,
        "since": SINCE,
        "until": "2026-05-16T12:00:00+00:00",
        "events": ["voucher.redeemed"],
        "only": "failed",
        "job": {
            "id": replay["job"]["id"],
            "type": "replay",
            "status": "queued",
            "total": None,
            "processed": 0,
            "succeeded": 0,
            "failed": 0,
            "error": None,
            "created_at": created_at,
            "started_at": None,
            "finished_at": None,
        },
        "created_at": created_at,
    }
    assert call("GET", f"/webhook-replays/{replay['id']}").json["data"] == replay


def test_what_happens_after_the_order_is_not_replayed(call: Call, endpoint_id: int) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    for body in (ALL, {**ALL, "until": tomorrow}):
        replay = call("POST", f"/webhook-endpoints/{endpoint_id}/replay", body).json["data"]
        assert replay["until"] == replay["created_at"]
        assert replay["events"] == ["*"]
        call("POST", f"/webhook-replays/{replay['id']}/cancel")


def test_one_endpoint_has_one_replay_at_a_time(call: Call, endpoint_id: int) -> None:
    replay = call("POST", f"/webhook-endpoints/{endpoint_id}/replay", ALL).json["data"]
    second = call("POST", f"/webhook-endpoints/{endpoint_id}/replay", ALL)
    assert (second.status_code, second.json["error"]["reason"]) == (400, "job_running")
    assert str(replay["id"]) in second.json["error"]["message"]

    cancelled = call("POST", f"/webhook-replays/{replay['id']}/cancel").json["data"]
    assert cancelled["job"]["status"] == "cancelled"
    assert cancelled["job"]["finished_at"] is not None
    assert call("POST", f"/webhook-endpoints/{endpoint_id}/replay", ALL).status_code == 201


def test_cancelling_what_has_ended_changes_nothing(call: Call, endpoint_id: int, engine: Engine) -> None:
    replay = call("POST", f"/webhook-endpoints/{endpoint_id}/replay", ALL).json["data"]
    while replaying.step(engine):
        pass
    ended = call("GET", f"/webhook-replays/{replay['id']}").json["data"]
    assert ended["job"]["status"] == "succeeded"
    assert call("POST", f"/webhook-replays/{replay['id']}/cancel").json["data"] == ended


def test_a_repeated_order_is_answered_again(call: Call, endpoint_id: int) -> None:
    first, second = (call("POST", f"/webhook-endpoints/{endpoint_id}/replay", ALL, key="again") for _ in range(2))
    assert first.json["data"] == second.json["data"]
    assert second.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"only": "all"}, "since"),
        ({"since": SINCE}, "only"),
        ({**ALL, "only": "some"}, "only"),
        ({**ALL, "until": SINCE}, "until"),
        ({**ALL, "events": ["loyalty.nothing"]}, "events.0"),
    ],
)
def test_an_order_that_cannot_be_understood_is_refused(
    call: Call, endpoint_id: int, body: dict[str, Any], field: str
) -> None:
    answer = call("POST", f"/webhook-endpoints/{endpoint_id}/replay", body)
    assert answer.status_code == 400
    assert list(answer.json["error"]["details"]) == [field]


def test_what_does_not_exist_or_is_another_tenants_is_not_found(call: Call, endpoint_id: int, tenant_id: int) -> None:
    replay = call("POST", f"/webhook-endpoints/{endpoint_id}/replay", ALL).json["data"]
    other = tenant_id + 1_000_000
    assert call("POST", f"/webhook-endpoints/{endpoint_id}/replay", ALL, tenant=other).status_code == 404
    assert call("GET", f"/webhook-replays/{replay['id']}", tenant=other).status_code == 404
    assert call("POST", f"/webhook-replays/{replay['id']}/cancel", tenant=other).status_code == 404
    assert call("DELETE", f"/webhook-endpoints/{endpoint_id}").status_code == 200
    assert call("POST", f"/webhook-endpoints/{endpoint_id}/replay", ALL).status_code == 404
