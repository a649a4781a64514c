"""A merchant tries an endpoint, and sees what it says."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from loyalty_common.database import perform
from loyalty_common.errors import RequestInProgress
from loyalty_common.idempotency import RequestKey
from loyalty_webhooks.api.endpoint_actions import Waiting
from loyalty_webhooks.domain import endpoint_tests
from loyalty_webhooks.domain.acts import Act

Call = Callable[..., Any]
Endpoint = Callable[..., dict[str, Any]]
ATTEMPT_KEYS = [
    "number",
    "started_at",
    "duration_ms",
    "status_code",
    "error",
    "response_headers",
    "response_body",
    "response_truncated",
]


def signed_with(received: Any, secret: str) -> str:
    signed = received.headers["x-loyalty-timestamp"].encode() + b"." + received.body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def test_a_test_is_sent_now_signed_and_answered_with_what_the_receiver_said(
    call: Call, endpoint: Endpoint, receiver: Any
) -> None:
    receiver.answer = lambda _: (202, {"Content-Type": "text/plain"}, b"thanks")
    made = endpoint(receiver.url)
    answer = call("POST", f"/webhook-endpoints/{made['id']}/test")
    assert answer.status_code == 200
    (received,) = receiver.received
    assert received.headers["x-loyalty-signature"] == signed_with(received, made["signing_secret"])
    assert (received.headers["x-loyalty-event"], received.headers["x-loyalty-attempt"]) == ("webhook.test", "1")
    body = json.loads(received.body)
    assert list(body) == ["id", "event", "created_at", "sequence", "data"]
    assert (body["id"], body["event"]) == (received.headers["webhook-id"], "webhook.test")
    assert body["data"] == {"message": "This is a test.", "endpoint_id": made["id"]}
    assert body["sequence"] is None
    result = answer.json["data"]
    assert list(result) == ["delivered", "attempt"]
    assert list(result["attempt"]) == ATTEMPT_KEYS
    assert (result["delivered"], result["attempt"]["number"], result["attempt"]["status_code"]) == (True, 1, 202)
    assert (result["attempt"]["response_body"], result["attempt"]["error"]) == ("thanks", None)
    assert result["attempt"]["response_headers"]["content-type"] == "text/plain"


def test_a_test_stands_in_no_log(call: Call, endpoint: Endpoint, receiver: Any) -> None:
    made = endpoint(receiver.url)
    call("POST", f"/webhook-endpoints/{made['id']}/test")
    log = call("GET", "/events").json
    assert (log["data"], log["meta"]["last_sequence"]) == ([], 0)
    assert call("GET", "/webhook-deliveries").json["data"] == []


@pytest.mark.parametrize("is_active", [True, False])
def test_whatever_the_receiver_says_is_an_answer(
    call: Call, endpoint: Endpoint, receiver: Any, is_active: bool
) -> None:
    receiver.answer = lambda _: (410, {}, b"gone")
    made = endpoint(receiver.url, is_active=is_active)
    result = call("POST", f"/webhook-endpoints/{made['id']}/test").json["data"]
    assert (result["delivered"], result["attempt"]["status_code"]) == (False, 410)
    assert call("GET", f"/webhook-endpoints/{made['id']}").json["data"]["disabled_reason"] is None


def test_a_receiver_that_is_not_there_is_said_so(call: Call, endpoint: Endpoint) -> None:
    made = endpoint("http://127.0.0.1:1/")
    result = call("POST", f"/webhook-endpoints/{made['id']}/test", {}).json["data"]
    assert (result["delivered"], result["attempt"]["status_code"]) == (False, None)
    assert result["attempt"]["error"] == {
        "stage": "connect",
        "message": "The endpoint did not accept a connection within 3 s.",
    }
    assert (result["attempt"]["response_headers"], result["attempt"]["response_body"]) == ({}, None)


def test_both_secrets_sign_a_test_during_the_overlap(call: Call, endpoint: Endpoint, receiver: Any) -> None:
    made = endpoint(receiver.url)
    rotated = call("POST", f"/webhook-endpoints/{made['id']}/rotate-secret").json["data"]
    call("POST", f"/webhook-endpoints/{made['id']}/test")
    (received,) = receiver.received
    assert received.headers["x-loyalty-signature"] == signed_with(received, rotated["signing_secret"])
    assert received.headers["x-loyalty-signature-previous"] == signed_with(received, made["signing_secret"])


def test_a_test_that_is_repeated_is_not_sent_again(call: Call, endpoint: Endpoint, receiver: Any) -> None:
    path = f"/webhook-endpoints/{endpoint(receiver.url)['id']}/test"
    first = call("POST", path, key="k")
    again = call("POST", path, key="k")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json["data"] == first.json["data"]
    assert len(receiver.received) == 1
    other = endpoint(receiver.url)
    reused = call("POST", f"/webhook-endpoints/{other['id']}/test", key="k")
    assert reused.json["error"]["reason"] == "idempotency_key_reused"


@pytest.fixture
def slow(client: FlaskClient, receiver: Any, gateway_token: Callable[..., str], tenant_id: int) -> Callable[..., Any]:
    """``slow(path, key, meanwhile)``: what a test answers whose receiver waits until ``meanwhile`` is over."""

    def run(path: str, key: str, meanwhile: Callable[[], Any]) -> Any:
        asked, over = threading.Event(), threading.Event()
        receiver.answer = lambda _: (asked.set(), over.wait(20), (204, {}, b""))[2]
        headers = {"Authorization": f"Bearer {gateway_token('webhooks', tenant_id=tenant_id)}", "Idempotency-Key": key}
        with ThreadPoolExecutor(1) as beside:
            first = beside.submit(client.application.test_client().post, f"/v1{path}", headers=headers)
            assert asked.wait(20)
            try:
                meanwhile()
            finally:
                over.set()
            return first.result()

    return run


def test_a_repetition_while_the_first_still_waits_sends_nothing(
    call: Call, endpoint: Endpoint, receiver: Any, slow: Callable[..., Any]
) -> None:
    path = f"/webhook-endpoints/{endpoint(receiver.url)['id']}/test"

    def repeat() -> None:
        again = call("POST", path, key="k")
        assert (again.status_code, again.json["error"]["reason"]) == (429, "request_in_progress")

    assert slow(path, "k", repeat).status_code == 200
    assert call("POST", path, key="k").json["data"]["delivered"] is True
    assert receiver.arrived == 1


def test_a_merchant_waits_for_one_receiver_at_a_time(
    call: Call, endpoint: Endpoint, receiver: Any, slow: Callable[..., Any]
) -> None:
    path = f"/webhook-endpoints/{endpoint(receiver.url)['id']}/test"

    def another() -> None:
        refused = call("POST", path, key="another")
        assert (refused.status_code, refused.json["error"]["code"]) == (429, "rate_limited")
        assert refused.headers["Retry-After"] == "5"

    slow(path, "k", another)
    assert call("POST", path, key="another").status_code == 200
    assert receiver.arrived == 2


def test_a_process_waits_for_few_receivers() -> None:
    waiting = Waiting(2)
    with waiting.place(1) as first, waiting.place(1) as same, waiting.place(2) as second, waiting.place(3) as third:
        assert (first, same, second, third) == (True, False, True, False)
        with waiting.place(2) as again:
            assert not again
    with waiting.place(3) as third, waiting.place(1) as first:
        assert (third, first) == (True, True)


def test_a_test_whose_process_died_can_be_repeated_when_it_cannot_be_under_way_any_more(
    call: Call, endpoint: Endpoint, receiver: Any, rows: Callable[..., list[Any]]
) -> None:
    path = f"/webhook-endpoints/{endpoint(receiver.url)['id']}/test"
    call("POST", path, key="k")
    died = """
        update idempotency set status = 0, body = '{}', created_at = now() - :ago
         where tenant_id = :tenant_id and key = 'client:k'
    """
    rows(died, ago=endpoint_tests.PATIENCE - timedelta(seconds=20))
    assert call("POST", path, key="k").status_code == 429
    rows(died, ago=endpoint_tests.PATIENCE + timedelta(seconds=1))
    assert call("POST", path, key="k").status_code == 200
    assert call("POST", path, key="k").headers["Idempotent-Replayed"] == "true"
    assert len(receiver.received) == 2


def test_of_requests_with_one_key_at_the_same_moment_one_sends(
    engine: Engine, endpoint: Endpoint, tenant_id: int
) -> None:
    """As if each had come to another process."""
    endpoint_id = endpoint()["id"]
    together = threading.Barrier(6)

    def begin(number: int) -> object:
        act = Act(RequestKey("client:k", "same"), datetime.now(UTC) + timedelta(microseconds=number))
        together.wait()
        try:
            return perform(
                engine,
                tenant_id,
                lambda tx: endpoint_tests.begin(tx, endpoint_id=endpoint_id, has_room=True, act=act),
            )
        except RequestInProgress as refused:
            return refused

    with ThreadPoolExecutor(6) as hands:
        begun = list(hands.map(begin, range(6)))
    assert sum(isinstance(each, endpoint_tests.EndpointTest) for each in begun) == 1
    assert sum(isinstance(each, RequestInProgress) for each in begun) == 5
