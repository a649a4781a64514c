"""What senders learn of an endpoint, together, and what it changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

Endpoint = Callable[..., dict[str, Any]]
CONTRACT = Path(__file__).parents[4] / "contracts/internal/internal.endpoint_disabled.json"


def lanes(db: Any) -> list[Any]:
    return db.rows("select * from lanes where tenant_id = :tenant_id order by endpoint_id")  # type: ignore[no-any-return]


def attempt_counts(db: Any, endpoint: dict[str, Any]) -> list[int]:
    """Of what waits for it."""
    return sorted(row.attempt_count for row in db.queue() if row.endpoint_id == endpoint["id"])


def all_had_their_turn(receiver: Any, endpoint: Endpoint, publish: Callable[..., Any], db: Any) -> None:
    """Another endpoint is sent what happened later: whatever was to be sent before is under way."""
    answer = receiver.answer
    receiver.answer = lambda received: (204, {}, b"") if "witness" in received.path else answer(received)
    endpoint(f"{receiver.url}?witness")
    publish(2, event="stamp.issued")
    db.wait(lambda: sum("witness" in received.path for received in receiver.received) == 2)


def open_again(db: Any) -> None:
    """As if the pause were over."""
    db.rows("update lanes set blocked_until = now() where tenant_id = :tenant_id")


def test_five_failures_open_the_breaker_and_blocked_time_costs_no_attempt(
    receiver: Any, sending: Callable[..., None], endpoint: Endpoint, publish: Callable[..., Any], db: Any
) -> None:
    receiver.answer = lambda _: (500, {}, b"")
    made = endpoint(receiver.url)
    publish(5)
    sending()
    db.wait(lambda: len(db.attempts()) == 5)
    (lane,) = lanes(db)
    assert (lane.failures, lane.times_opened, lane.in_flight_limit) == (5, 1, 1)
    assert lane.blocked_until is not None
    db.hasten()
    all_had_their_turn(receiver, endpoint, publish, db)
    (attempts,) = db.rows("select count(*) from webhook_attempts where endpoint_id = :id", id=made["id"])
    assert attempts.count == 5
    assert attempt_counts(db, made) == [0] * 2 + [1] * 5


def test_one_probe_goes_through_a_half_open_breaker_and_its_success_closes_it(
    receiver: Any, sending: Callable[..., None], endpoint: Endpoint, publish: Callable[..., Any], db: Any
) -> None:
    receiver.answer = lambda _: (500, {}, b"")
    endpoint(receiver.url)
    publish(5)
    sending()
    db.wait(lambda: len(db.attempts()) == 5)
    db.hasten()
    open_again(db)
    db.wait(lambda: len(db.attempts()) == 6)
    (lane,) = lanes(db)
    assert (lane.failures, lane.times_opened) == (6, 2)
    receiver.answer = lambda _: (200, {}, b"")
    db.hasten()
    open_again(db)
    db.wait_for_statuses(*["succeeded"] * 5)
    (lane,) = lanes(db)
    assert (lane.failures, lane.failing_since, lane.times_opened, lane.blocked_until) == (0, None, 0, None)


def test_retry_after_holds_back_everything_for_the_endpoint(
    receiver: Any, sending: Callable[..., None], endpoint: Endpoint, publish: Callable[..., Any], db: Any
) -> None:
    receiver.answer = lambda _: (503, {"Retry-After": "600"}, b"")
    made = endpoint(receiver.url, max_in_flight=1)
    publish(4)
    sending()
    db.wait(lanes_blocked := lambda: [lane for lane in lanes(db) if lane.blocked_until])
    assert 590 < (lanes_blocked()[0].blocked_until - db.attempts()[0].started_at).total_seconds() < 610
    all_had_their_turn(receiver, endpoint, publish, db)
    assert attempt_counts(db, made) == [0] * 5 + [1]


def test_a_rate_is_kept_by_all_senders_together_and_waiting_costs_no_attempt(
    receiver: Any, sending: Callable[..., None], endpoint: Endpoint, publish: Callable[..., Any], db: Any
) -> None:
    made = endpoint(receiver.url)
    db.rows("update webhook_endpoints set rate_limit_per_second = 20 where id = :id", id=made["id"])
    publish(25)
    sending()
    sending()
    arrived = [received.at for received in receiver.wait_for(25)]
    assert arrived[-1] - arrived[0] >= 1.0
    assert {row.attempt_count for row in db.deliveries() if row.status == "succeeded"} == {1}


@pytest.mark.parametrize(("status", "reason"), [(410, "gone"), (500, "failing")])
def test_the_merchant_of_an_endpoint_that_was_given_up_is_told(
    receiver: Any,
    sending: Callable[..., None],
    endpoint: Endpoint,
    publish: Callable[..., Any],
    db: Any,
    call: Any,
    status: int,
    reason: str,
) -> None:
    receiver.answer = lambda _: (status, {}, b"")
    made = endpoint(f"{receiver.url}?token=s3cret")
    db.rows(
        """
        insert into lanes (tenant_id, endpoint_id, failures, failing_since)
        values (:tenant_id, :id, 19, now() - interval '5 days')
        """,
        id=made["id"],
    )
    publish()
    sending()
    db.wait(lambda: db.rows("select 1 from outbox where tenant_id = :tenant_id"))
    shown = call("GET", f"/webhook-endpoints/{made['id']}").json["data"]
    assert (shown["status"], shown["disabled_reason"], shown["is_active"]) == ("disabled", reason, False)
    (told,) = db.rows("select * from outbox where tenant_id = :tenant_id")
    data = json.loads(told.payload)
    Draft202012Validator(json.loads(CONTRACT.read_text()), format_checker=FormatChecker()).validate(data)
    assert (told.event, told.version) == ("internal.endpoint_disabled", 2)
    expected = {"endpoint_id": made["id"], "host": "127.0.0.1", "reason": reason}
    assert data == expected | {"disabled_at": shown["disabled_at"]}
    # Opened again, it begins like a new one, and is not given up with the next failure.
    (lane,) = lanes(db)
    assert (lane.failures, lane.failing_since) == (0, None)


def test_who_fails_for_less_than_five_days_is_not_given_up(
    receiver: Any, sending: Callable[..., None], endpoint: Endpoint, publish: Callable[..., Any], db: Any, call: Any
) -> None:
    receiver.answer = lambda _: (500, {}, b"")
    made = endpoint(receiver.url)
    db.rows(
        """
        insert into lanes (tenant_id, endpoint_id, failures, failing_since)
        values (:tenant_id, :id, 500, now() - interval '4 days 23 hours')
        """,
        id=made["id"],
    )
    publish()
    sending()
    db.wait(lambda: db.attempts())
    assert call("GET", f"/webhook-endpoints/{made['id']}").json["data"]["is_active"] is True
    assert db.rows("select 1 from outbox where tenant_id = :tenant_id") == []


def test_an_attempt_whose_lease_had_ended_teaches_nothing(
    receiver: Any, sending: Callable[..., None], endpoint: Endpoint, publish: Callable[..., Any], db: Any
) -> None:
    def answer(_: Any) -> tuple[int, dict[str, str], bytes]:
        if receiver.arrived == 1:
            db.rows("update delivery_queue set claim_id = gen_random_uuid() where tenant_id = :tenant_id")
            db.rows("update delivery_queue set lease_until = now() + interval '1 h' where tenant_id = :tenant_id")
        return 410, {}, b""

    receiver.answer = answer
    endpoint(receiver.url, events=["loyalty.points_earned"])
    publish()
    sending()
    receiver.wait_for(1)
    all_had_their_turn(receiver, endpoint, publish, db)
    assert db.rows("select 1 from outbox where tenant_id = :tenant_id") == []
    assert db.rows("select 1 from lanes where tenant_id = :tenant_id and failures > 0") == []
