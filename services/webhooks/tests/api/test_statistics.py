"""How an endpoint has been doing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from loyalty_webhooks.domain.statistics import Span, Tally, success_rate

Call = Callable[..., Any]
Endpoint = Callable[..., dict[str, Any]]
Publish = Callable[..., list[Any]]
Rows = Callable[..., list[Any]]
TRIED = """
    insert into webhook_attempts (tenant_id, delivery_id, number, event_created_at, endpoint_id, started_at,
        duration_ms, status_code, error_stage, response_headers, response_truncated)
    select :tenant_id, :delivery_id, number, now(), :endpoint_id, :at, number, :status_code, :error_stage, '{}', false
      from generate_series(1, :count) number
"""


def test_an_endpoint_that_was_never_called_has_quiet_hours(call: Call, endpoint: Endpoint) -> None:
    made = endpoint()
    shown = call("GET", f"/webhook-endpoints/{made['id']}/stats").json["data"]
    since, until = (datetime.fromisoformat(shown[name]) for name in ("from", "to"))
    assert until - since == timedelta(days=1)
    assert abs(datetime.now(UTC) - until) < timedelta(minutes=1)
    assert shown["totals"] == {
        "deliveries": 0,
        "succeeded": 0,
        "exhausted": 0,
        "attempts": 0,
        "failed_attempts": 0,
        "success_rate": None,
        "latency_p50_ms": None,
        "latency_p95_ms": None,
        "latency_p99_ms": None,
    }
    assert (shown["endpoint_id"], shown["interval"]) == (made["id"], "hour")
    assert (shown["pending"], shown["in_flight"], shown["oldest_pending_at"]) == (0, 0, None)
    assert len(shown["buckets"]) in (24, 25)
    quiet = {"attempts": 0, "failed_attempts": 0, "succeeded": 0, "latency_p50_ms": None, "latency_p95_ms": None}
    assert {tuple(each.items())[1:] for each in shown["buckets"]} == {tuple(quiet.items())}


def test_attempts_are_counted_in_the_hour_in_which_they_began(call: Call, endpoint: Endpoint, rows: Rows) -> None:
    made, other = endpoint(), endpoint()
    three = datetime.now(UTC).replace(hour=3, minute=20)
    tried = {"endpoint_id": made["id"], "error_stage": None}
    rows(TRIED, **tried, delivery_id=1, at=three, status_code=200, count=100)
    rows(TRIED, **tried, delivery_id=2, at=three + timedelta(hours=1), status_code=500, count=10)
    rows(TRIED, **tried | {"error_stage": "body"}, delivery_id=3, at=three, status_code=200, count=1)
    rows(TRIED, **tried, delivery_id=4, at=three + timedelta(hours=2), status_code=204, count=7)  # beyond to
    rows(TRIED, **tried | {"endpoint_id": other["id"]}, delivery_id=5, at=three, status_code=200, count=7)
    day = three.date().isoformat()
    shown = call(
        "GET", f"/webhook-endpoints/{made['id']}/stats?from={day}T02:30:00Z&to={day}T05:00:00Z&interval=hour"
    ).json["data"]
    assert (shown["from"], shown["to"]) == (f"{day}T02:30:00+00:00", f"{day}T05:00:00+00:00")
    totals = shown["totals"]
    assert (totals["attempts"], totals["failed_attempts"]) == (111, 11)
    assert (totals["latency_p50_ms"], totals["latency_p95_ms"], totals["latency_p99_ms"]) == (45, 95, 99)
    assert [tuple(each.values()) for each in shown["buckets"]] == [
        (f"{day}T02:00:00+00:00", 0, 0, 0, None, None),
        (f"{day}T03:00:00+00:00", 101, 1, 100, 50, 95),
        (f"{day}T04:00:00+00:00", 10, 10, 0, 5, 10),
    ]


def test_deliveries_are_counted_by_what_became_of_them(
    call: Call, endpoint: Endpoint, publish: Publish, rows: Rows
) -> None:
    made = endpoint()
    publish(4)
    rows("update webhook_deliveries set status = 'succeeded' where tenant_id = :tenant_id and sequence in (1, 2)")
    rows("update webhook_deliveries set status = 'exhausted' where tenant_id = :tenant_id and sequence = 3")
    rows("delete from delivery_queue where tenant_id = :tenant_id and delivery_id in "
         "(select id from webhook_deliveries where tenant_id = :tenant_id and status <> 'pending')")  # fmt: skip
    soon = quote((datetime.now(UTC) + timedelta(minutes=1)).isoformat(timespec="seconds"))
    shown = call("GET", f"/webhook-endpoints/{made['id']}/stats?to={soon}&interval=day").json["data"]
    totals = shown["totals"]
    assert (totals["deliveries"], totals["succeeded"], totals["exhausted"]) == (4, 2, 1)
    assert totals["success_rate"] == "0.5000"
    assert (shown["pending"], shown["in_flight"]) == (1, 0)
    waiting = call("GET", "/webhook-deliveries?status=pending").json["data"]
    assert [each["created_at"] for each in waiting] == [shown["oldest_pending_at"]]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("interval=week", "interval"),
        ("from=yesterday", "from"),
        ("from=2026-05-16T12:00:00Z&to=2026-05-16T12:00:00Z", "from"),
        ("from=2026-05-01T00:00:00Z&to=2026-05-08T00:00:01Z", "from"),
        ("from=2026-05-01T00:00:00Z&to=2026-06-01T00:00:01Z&interval=day", "from"),
        ("from=0001-01-01T00:00:00Z", "from"),
        ("to=9999-12-31T23:59:59Z", "to"),
        ("to=0001-01-01T00:00:00Z", "to"),
    ],
)
def test_a_time_that_cannot_be_counted_is_named(call: Call, endpoint: Endpoint, query: str, named: str) -> None:
    answer = call("GET", f"/webhook-endpoints/{endpoint()['id']}/stats?{query}")
    assert answer.status_code == 400
    assert list(answer.json["error"]["details"]) == [named]


def test_a_count_that_takes_too_long_is_refused_while_the_caller_still_waits(
    call: Call, endpoint: Endpoint, engine: Engine
) -> None:
    made = endpoint()
    with engine.begin() as busy:
        busy.execute(text("lock table webhook_attempts in access exclusive mode"))
        answer = call("GET", f"/webhook-endpoints/{made['id']}/stats")
    assert answer.status_code == 400
    assert answer.json["error"]["details"] == {
        "from": ["There are too many attempts in this time: ask for less of it."]
    }


@pytest.mark.parametrize(("interval", "count"), [("hour", 3), ("day", 1)])
def test_buckets_begin_with_the_hours_and_days_of_utc(interval: str, count: int) -> None:
    span = Span(datetime(2026, 5, 16, 9, 30, tzinfo=UTC), datetime(2026, 5, 16, 12, tzinfo=UTC), interval)
    starts = list(span.buckets())
    assert len(starts) == count
    assert starts[0] == datetime(2026, 5, 16, 9 if interval == "hour" else 0, tzinfo=UTC)


@pytest.mark.parametrize(("succeeded", "of", "shown"), [(1190, 1200, "0.9917"), (0, 3, "0.0000"), (3, 3, "1.0000")])
def test_the_success_rate_has_four_digits(succeeded: int, of: int, shown: str) -> None:
    assert success_rate(succeeded, of=of) == shown


@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=200), st.sampled_from([50, 95, 99]))
def test_so_many_percent_of_the_attempts_took_no_longer(latencies: list[int], percent: int) -> None:
    tally = Tally()
    for latency in latencies:
        tally.add(latency, 1, succeeded=latency % 2 == 0)
    found = tally.latencies(percent)[f"latency_p{percent}_ms"]
    assert found is not None
    assert sum(latency <= found for latency in latencies) * 100 >= percent * len(latencies)
    assert sum(latency < found for latency in latencies) * 100 < percent * len(latencies)
    assert tally.shown() == {"attempts": len(latencies), "failed_attempts": sum(each % 2 for each in latencies)}
