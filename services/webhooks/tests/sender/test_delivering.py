"""An event reaches its endpoint, signed, and is tried again until it does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

Endpoint = Callable[..., dict[str, Any]]


def verify(received: Any, secret: str) -> None:
    """What an integrator does, in the words of the reference and of Standard Webhooks."""
    timestamp = received.headers["x-loyalty-timestamp"]
    assert abs(int(timestamp) - time.time()) < 60
    signed = timestamp.encode() + b"." + received.body
    assert received.headers["x-loyalty-signature"] == hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    signed = f"{received.headers['webhook-id']}.{received.headers['webhook-timestamp']}.".encode() + received.body
    digest = hmac.new(base64.b64decode(secret[6:]), signed, hashlib.sha256).digest()
    assert received.headers["webhook-signature"].split() == [f"v1,{base64.b64encode(digest).decode()}"]


def test_an_event_arrives_signed(
    receiver: Any, sending: Callable[..., None], endpoint: Endpoint, publish: Callable[..., Any], db: Any
) -> None:
    made = endpoint(receiver.url)
    (message,) = publish()
    sending()
    (received,) = receiver.wait_for(1)
    verify(received, made["signing_secret"])
    assert received.path == "/hook"
    assert received.headers["content-type"] == "application/json"
    assert received.headers["x-loyalty-event"] == "loyalty.points_earned"
    assert received.headers["x-loyalty-attempt"] == "1"
    body = json.loads(received.body)
    assert (body["id"], body["sequence"], body["data"]) == (str(message.id), 1, message.data)
    db.wait_for_statuses("succeeded")
    (delivery,) = db.deliveries()
    assert received.headers["x-loyalty-delivery"] == str(delivery.id)
    assert (delivery.attempt_count, delivery.last_status_code, delivery.next_attempt_at) == (1, 200, None)
    (attempt,) = db.attempts()
    assert (attempt.number, attempt.status_code, attempt.response_body, attempt.error_stage) == (1, 200, "ok", None)
    assert db.queue() == []


def test_a_failed_delivery_is_tried_again_with_the_same_bytes_and_a_new_timestamp(
    receiver: Any, sending: Callable[..., None], endpoint: Endpoint, publish: Callable[..., Any], db: Any
) -> None:
    receiver.answer = lambda _: (503, {"X-Why": "busy"}, b"busy") if not receiver.received else (204, {}, b"")
    made = endpoint(receiver.url)
    publish()
    sending()
    receiver.wait_for(1)
    db.wait(db.attempts)
    (delivery,) = db.deliveries()
    assert (delivery.status, delivery.attempt_count, delivery.last_status_code) == ("pending", 1, 503)
    wait = delivery.next_attempt_at - db.attempts()[0].started_at
    assert timedelta(seconds=4) <= wait <= timedelta(seconds=7)
    db.hasten()
    first, second = receiver.wait_for(2)
    assert first.body == second.body
    assert second.headers["x-loyalty-attempt"] == "2"
    assert first.headers["x-loyalty-delivery"] == second.headers["x-loyalty-delivery"]
    verify(second, made["signing_secret"])
    db.wait_for_statuses("succeeded")
    assert [attempt.number for attempt in db.attempts()] == [1, 2]
    assert db.attempts()[0].response_headers["x-why"] == "busy"


def test_retry_after_is_honoured(
    receiver: Any, sending: Callable[..., None], endpoint: Endpoint, publish: Callable[..., Any], db: Any
) -> None:
    receiver.answer = lambda _: (429, {"Retry-After": "600"}, b"")
    endpoint(receiver.url)
    publish()
    sending()
    db.wait(db.attempts)
    assert db.deliveries()[0].next_attempt_at > datetime.now(UTC) + timedelta(seconds=590)


def test_the_eleventh_failure_exhausts_a_delivery(
    receiver: Any, sending: Callable[..., None], endpoint: Endpoint, publish: Callable[..., Any], db: Any
) -> None:
    receiver.answer = lambda _: (302, {"Location": "http://127.0.0.1/"}, b"")
    endpoint(receiver.url)
    publish()
    db.rows("update delivery_queue set attempt_count = 10 where tenant_id = :tenant_id")
    sending()
    db.wait_for_statuses("exhausted")
    assert db.queue() == []
    assert db.deliveries()[0].completed_at is not None
    assert len(receiver.received) == 1


def test_410_closes_the_endpoint_and_what_is_pending_waits(
    receiver: Any, sending: Callable[..., None], endpoint: Endpoint, publish: Callable[..., Any], db: Any, call: Any
) -> None:
    receiver.answer = lambda _: (410, {}, b"")
    made = endpoint(receiver.url)
    publish()
    sending()
    db.wait(db.attempts)
    shown = call("GET", f"/webhook-endpoints/{made['id']}").json["data"]
    assert (shown["status"], shown["disabled_reason"], shown["is_active"]) == ("disabled", "gone", False)
    assert shown["disabled_at"] is not None
    db.hasten()
    publish()  # nothing is owed to a closed endpoint
    other = endpoint(receiver.url)
    publish()
    db.wait(lambda: len(db.attempts()) == 2)
    assert [delivery.endpoint_id for delivery in db.deliveries()] == [made["id"], other["id"]]
    assert [attempt.endpoint_id for attempt in db.attempts()] == [made["id"], other["id"]]
    assert len(db.queue()) == 2


def test_a_deleted_endpoint_gets_nothing_more_and_its_pending_deliveries_are_cancelled(
    receiver: Any, sending: Callable[..., None], endpoint: Endpoint, publish: Callable[..., Any], db: Any, call: Any
) -> None:
    receiver.answer = lambda _: (500, {}, b"")
    made = endpoint(receiver.url)
    publish(2)
    sending()
    db.wait(lambda: len(db.attempts()) == 2)
    assert call("DELETE", f"/webhook-endpoints/{made['id']}").status_code == 200
    assert [delivery.status for delivery in db.deliveries()] == ["cancelled", "cancelled"]
    assert db.queue() == []


def test_queued_deliveries_use_the_endpoints_url_of_now(
    receiver: Any, sending: Callable[..., None], endpoint: Endpoint, publish: Callable[..., Any], db: Any
) -> None:
    endpoint("http://127.0.0.1:1/before")
    publish()
    db.rows("update webhook_endpoints set url = :url where tenant_id = :tenant_id", url=f"{receiver.url}?moved=1")
    sending()
    assert receiver.wait_for(1)[0].path == "/hook?moved=1"


def test_a_host_that_is_no_longer_allowed_over_http_is_not_called(
    receiver: Any, sending: Callable[..., None], endpoint: Endpoint, publish: Callable[..., Any], db: Any
) -> None:
    endpoint(receiver.url)
    publish()
    sending(allowed_http_hosts=frozenset())
    db.wait(db.attempts)
    assert db.attempts()[0].error_stage == "address"
    assert receiver.received == []


def test_an_address_that_is_no_longer_allowed_is_not_called(
    receiver: Any, sending: Callable[..., None], endpoint: Endpoint, publish: Callable[..., Any], db: Any
) -> None:
    endpoint(receiver.url)
    publish()
    sending(allowed_networks=())
    db.wait(db.attempts)
    assert db.attempts()[0].error_stage == "address"
    assert receiver.received == []


def test_neither_secrets_nor_payloads_stand_in_the_log(
    receiver: Any,
    deliver: Callable[..., Any],
    endpoint: Endpoint,
    publish: Callable[..., Any],
    db: Any,
    tenant_id: int,
) -> None:
    secret = endpoint(receiver.url)["signing_secret"]
    publish()
    sender = deliver()
    db.wait_for_statuses("succeeded")
    (line,) = db.wait(lambda: [line for line in sender.logged("attempt") if line["tenant_id"] == tenant_id])
    assert (line["status_code"], line["outcome"]) == (200, "succeeded")
    for kept_out in (secret, secret[6:], "Zoë", "24.50"):
        assert kept_out not in sender.text()
    stored = db.rows("select t::text as line from webhook_attempts t where tenant_id = :tenant_id")
    assert all(secret not in row.line for row in stored)


def test_what_is_sent_again_after_an_erasure_is_signed_as_it_is_now(
    receiver: Any, sending: Callable[..., None], endpoint: Endpoint, publish: Callable[..., Any], db: Any
) -> None:
    receiver.answer = lambda received: (500, {"X-Echo": "Zoe"}, received.body)
    made = endpoint(receiver.url, events=["loyalty.points_earned"])
    zoe = {"id": 1042, "name": "Zoë Ünsal", "email": "zoe@example.com", "phone": None}
    publish(data={"id": 502, "points_delta": 2, "customer": zoe})
    sending()
    receiver.wait_for(1)
    db.wait(lambda: db.attempts())
    nobody = {"id": 1042, "name": None, "email": None, "phone": None}
    erasure = {**nobody, "customer": nobody, "erased_at": "2026-06-01T09:00:00+00:00"}
    publish(event="customer.updated", publisher="customers", version=2, data=erasure)
    [kept] = db.attempts()
    assert (kept.response_headers, kept.response_body, kept.status_code) == ({}, None, 500)
    db.hasten()
    again = receiver.wait_for(2)[1]
    verify(again, made["signing_secret"])
    assert json.loads(again.body)["data"] == {"id": 502, "points_delta": 2, "customer": nobody, "redacted": True}
