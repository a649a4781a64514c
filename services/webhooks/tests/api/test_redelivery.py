"""A merchant has a delivery sent once more."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from loyalty_common.messaging.message import Message
from loyalty_webhooks.domain.claiming import claim
from loyalty_webhooks.domain.limits import LaneKey, Pool

Call = Callable[..., Any]
Endpoint = Callable[..., dict[str, Any]]
Publish = Callable[..., list[Any]]
Rows = Callable[..., list[Any]]
QUEUE = "select * from delivery_queue where tenant_id = :tenant_id"
ENDED = """
    with ended as (delete from delivery_queue where tenant_id = :tenant_id)
    update webhook_deliveries set status = :status, attempt_count = 11, next_attempt_at = null, completed_at = now()
     where tenant_id = :tenant_id
"""


@pytest.fixture
def delivery_id(call: Call, endpoint: Endpoint, publish: Publish) -> int:
    endpoint()
    publish()
    found: int = call("GET", "/webhook-deliveries").json["data"][0]["id"]
    return found


@pytest.mark.parametrize("status", ["succeeded", "exhausted", "cancelled"])
def test_what_is_over_becomes_pending_again_and_its_attempts_are_counted_on(
    call: Call, delivery_id: int, rows: Rows, status: str
) -> None:
    rows(ENDED, status=status)
    answer = call("POST", f"/webhook-deliveries/{delivery_id}/redeliver")
    assert answer.status_code == 200
    shown = answer.json["data"]
    assert (shown["status"], shown["trigger"], shown["attempt_count"]) == ("pending", "redelivery", 11)
    assert shown["next_attempt_at"] is not None
    assert shown["completed_at"] is None
    assert call("GET", f"/webhook-deliveries/{delivery_id}").json["data"] == shown
    (queued,) = rows(f"{QUEUE} and next_attempt_at <= now() and claim_id is null")
    assert (queued.delivery_id, queued.attempt_count) == (delivery_id, 11)


def test_what_waits_for_its_next_attempt_is_due_at_once(call: Call, delivery_id: int, rows: Rows) -> None:
    rows("update delivery_queue set next_attempt_at = now() + interval '1 h' where tenant_id = :tenant_id")
    assert call("POST", f"/webhook-deliveries/{delivery_id}/redeliver").json["data"]["status"] == "pending"
    assert len(rows(f"{QUEUE} and next_attempt_at <= now()")) == 1


def test_what_is_due_keeps_its_place(call: Call, delivery_id: int, rows: Rows) -> None:
    before = rows("update delivery_queue set next_attempt_at = now() - interval '1 h' where tenant_id = :tenant_id "
                  "returning next_attempt_at")  # fmt: skip
    call("POST", f"/webhook-deliveries/{delivery_id}/redeliver")
    assert rows("select next_attempt_at from delivery_queue where tenant_id = :tenant_id") == before


def test_while_it_is_being_sent_nothing_changes(
    call: Call, delivery_id: int, rows: Rows, engine: Engine, tenant_id: int
) -> None:
    (waiting,) = rows(QUEUE)
    with engine.begin() as connection:
        lane = LaneKey(tenant_id, waiting.endpoint_id)
        assert len(claim(connection, [lane], Pool(1, Counter())).deliveries) == 1
    before = rows(QUEUE), rows("select * from webhook_deliveries where tenant_id = :tenant_id")
    shown = call("POST", f"/webhook-deliveries/{delivery_id}/redeliver").json["data"]
    assert (shown["status"], shown["trigger"]) == ("sending", "event")
    assert (rows(QUEUE), rows("select * from webhook_deliveries where tenant_id = :tenant_id")) == before


def test_it_waits_for_a_sender_that_is_just_taking_the_delivery(
    client: FlaskClient, gateway_token: Callable[..., str], delivery_id: int, rows: Rows, engine: Engine, tenant_id: int
) -> None:
    headers = {"Authorization": f"Bearer {gateway_token('webhooks', tenant_id=tenant_id)}"}
    taking = text("""
        update delivery_queue set claim_id = gen_random_uuid(), lease_until = now() + interval '30 s'
         where tenant_id = :tenant_id
    """)
    path = f"/v1/webhook-deliveries/{delivery_id}/redeliver"
    deadline = time.monotonic() + 20
    with ThreadPoolExecutor(1) as beside:
        with engine.begin() as sender:
            sender.execute(taking, {"tenant_id": tenant_id})
            asked = beside.submit(client.application.test_client().post, path, headers=headers)
            while not rows("select 1 from pg_locks where not granted and cast(:tenant_id as bigint) > 0"):
                assert not asked.done(), asked.result().json
                assert time.monotonic() < deadline
        answer: Any = asked.result()
    assert (answer.status_code, answer.json["data"]["status"]) == (200, "sending")
    assert len(rows(f"{QUEUE} and claim_id is not null")) == 1


@pytest.mark.parametrize(
    ("closing", "said"),
    [("is_active = false", "paused"), ("is_active = false, disabled_reason = 'gone', disabled_at = now()", "disabled")],
)
def test_to_an_endpoint_that_is_not_active_nothing_is_redelivered(
    call: Call, delivery_id: int, rows: Rows, closing: str, said: str
) -> None:
    rows(ENDED, status="succeeded")
    rows(f"update webhook_endpoints set {closing} where tenant_id = :tenant_id")
    answer = call("POST", f"/webhook-deliveries/{delivery_id}/redeliver")
    assert answer.status_code == 400
    assert answer.json["error"]["message"] == f"The endpoint of this delivery is {said}: nothing is sent to it."
    assert rows(QUEUE) == []


def test_to_a_deleted_endpoint_nothing_is_redelivered_but_the_log_stays(call: Call, delivery_id: int) -> None:
    shown = call("GET", f"/webhook-deliveries/{delivery_id}").json["data"]
    call("DELETE", f"/webhook-endpoints/{shown['endpoint_id']}")
    answer = call("POST", f"/webhook-deliveries/{delivery_id}/redeliver")
    assert (answer.status_code, answer.json["error"]["reason"]) == (400, None)
    assert call("GET", f"/webhook-deliveries/{delivery_id}").json["data"]["status"] == "cancelled"


def test_a_redelivery_that_is_repeated_redelivers_once(call: Call, delivery_id: int, rows: Rows) -> None:
    path = f"/webhook-deliveries/{delivery_id}/redeliver"
    rows(ENDED, status="exhausted")
    first = call("POST", path, key="k")
    rows(ENDED, status="succeeded")
    again = call("POST", path, key="k")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json["data"] == first.json["data"]
    assert rows(QUEUE) == []


def test_a_stored_reply_says_nothing_of_a_person_who_is_erased_later(
    call: Call, endpoint: Endpoint, publish: Callable[..., list[Message]], rows: Rows
) -> None:
    endpoint(events=["loyalty.points_earned"])
    zoe = {"id": 1042, "name": "Zoë Ünsal", "email": "zoe@example.com", "phone": None}
    publish(data={"id": 502, "customer": zoe})
    path = f"/webhook-deliveries/{call('GET', '/webhook-deliveries').json['data'][0]['id']}/redeliver"
    assert "zoe@example.com" in call("POST", path, key="k").json["data"]["payload"]
    assert rows("select 1 from idempotency t where tenant_id = :tenant_id and t::text like '%zoe@%'") == []
    nobody = {"id": 1042, "name": None, "email": None, "phone": None}
    erasure = {**nobody, "customer": nobody, "erased_at": "2026-06-01T09:00:00+00:00"}
    publish(event="customer.updated", publisher="customers", version=2, data=erasure)
    again = call("POST", path, key="k")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "zoe@example.com" not in again.text
