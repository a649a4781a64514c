"""What was owed to whom, and what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from sqlalchemy import Engine

from loyalty_webhooks.domain.claiming import claim
from loyalty_webhooks.domain.completing import complete
from loyalty_webhooks.domain.limits import LaneKey, Pool
from loyalty_webhooks.domain.outcomes import Attempt, Outcome

Call = Callable[..., Any]
Endpoint = Callable[..., dict[str, Any]]
Publish = Callable[..., list[Any]]
Rows = Callable[..., list[Any]]
LISTED_KEYS = [
    "id",
    "endpoint_id",
    "event_id",
    "event",
    "sequence",
    "trigger",
    "status",
    "attempt_count",
    "last_status_code",
    "next_attempt_at",
    "created_at",
    "completed_at",
]
ONE_THREAD = Pool(1, Counter())
CLOSED = Attempt(1, datetime.now(UTC), 3002, error_stage="connect", error_message="It did not accept a connection.")


@pytest.fixture
def attempt(engine: Engine, tenant_id: int) -> Callable[..., None]:
    """``attempt(endpoint_id, "succeeded", …)``: what is due is claimed and ends so; keywords are the attempt's."""

    def run(endpoint_id: int, status: str, **fields: Any) -> None:
        with engine.begin() as connection:
            claimed = claim(connection, [LaneKey(tenant_id, endpoint_id)], ONE_THREAD).deliveries
            assert len(claimed) == 1
            ends = [
                (
                    each,
                    Attempt(each.attempt_count + 1, datetime.now(UTC), **{"duration_ms": 80, **fields}),
                    Outcome(status, retry_in_s=60.0 if status == "pending" else None),
                )
                for each in claimed
            ]
            assert complete(connection, ends) == []

    return run


def test_a_delivery_is_listed_before_it_was_tried(call: Call, endpoint: Endpoint, publish: Publish) -> None:
    made = endpoint()
    (message,) = publish()
    (listed,) = call("GET", "/webhook-deliveries").json["data"]
    assert list(listed) == LISTED_KEYS
    assert (listed["endpoint_id"], listed["event_id"], listed["event"]) == (made["id"], str(message.id), message.event)
    assert (listed["sequence"], listed["trigger"], listed["status"]) == (1, "event", "pending")
    assert (listed["attempt_count"], listed["last_status_code"], listed["completed_at"]) == (0, None, None)
    assert listed["next_attempt_at"] is not None


def test_a_delivery_shows_the_signed_text_and_every_attempt(
    call: Call, endpoint: Endpoint, publish: Publish, attempt: Callable[..., None], rows: Rows
) -> None:
    made = endpoint()
    publish()
    attempt(
        made["id"], "pending", status_code=503, response_headers={"retry-after": "5"}, response_body="busy",
        response_truncated=True,
    )  # fmt: skip
    rows("update delivery_queue set next_attempt_at = now() where tenant_id = :tenant_id")
    attempt(made["id"], "exhausted", duration_ms=3002, error_stage="connect", error_message="No connection.")
    (listed,) = call("GET", "/webhook-deliveries").json["data"]
    shown = call("GET", f"/webhook-deliveries/{listed['id']}").json["data"]
    assert list(shown) == [*LISTED_KEYS, "payload", "attempts"]
    assert {name: shown[name] for name in LISTED_KEYS} == listed
    assert (shown["status"], shown["attempt_count"], shown["last_status_code"]) == ("exhausted", 2, None)
    assert shown["next_attempt_at"] is None
    assert shown["completed_at"] is not None
    assert shown["payload"] == rows("select payload from webhook_events where tenant_id = :tenant_id")[0].payload
    first, second = shown["attempts"]
    assert (first["number"], first["status_code"], first["error"]) == (1, 503, None)
    assert (first["response_headers"], first["response_body"]) == ({"retry-after": "5"}, "busy")
    assert (first["response_truncated"], first["duration_ms"]) == (True, 80)
    assert (second["number"], second["status_code"]) == (2, None)
    assert second["error"] == {"stage": "connect", "message": "No connection."}
    assert (second["response_headers"], second["response_body"]) == ({}, None)


def test_what_a_sender_has_taken_is_being_sent(
    call: Call, endpoint: Endpoint, publish: Publish, engine: Engine, tenant_id: int
) -> None:
    made = endpoint()
    publish(2)
    with engine.begin() as connection:
        (taken,) = claim(connection, [LaneKey(tenant_id, made["id"])], ONE_THREAD).deliveries
    found = {
        status: [each["id"] for each in call("GET", f"/webhook-deliveries?status={status}").json["data"]]
        for status in ("pending", "sending")
    }
    waiting = next(
        each["id"] for each in call("GET", "/webhook-deliveries").json["data"] if each["status"] == "pending"
    )
    assert found == {"sending": [taken.delivery_id], "pending": [waiting]}
    assert call("GET", f"/webhook-deliveries/{taken.delivery_id}").json["data"]["status"] == "sending"


def test_every_filter_leaves_what_it_names(
    call: Call, endpoint: Endpoint, publish: Publish, attempt: Callable[..., None], rows: Rows
) -> None:
    first, second = endpoint(), endpoint(events=["voucher.redeemed"])
    publish(2)
    (redeemed,) = publish(event="voucher.redeemed")
    attempt(second["id"], "succeeded", status_code=200)
    attempt(first["id"], "exhausted", status_code=500)
    rows("update webhook_deliveries set created_at = created_at - interval '1 day' "
         "where tenant_id = :tenant_id and sequence = 2")  # fmt: skip
    noon = quote((datetime.now(UTC) - timedelta(hours=12)).isoformat(timespec="seconds"))
    expected = {
        f"endpoint_id={second['id']}": [3],
        "endpoint_id=999999": [],
        "event=voucher.redeemed": [3, 3],
        f"event_id={redeemed.id}": [3, 3],
        f"event_id={str(redeemed.id).upper()}": [3, 3],
        "status=succeeded": [3],
        "status=exhausted": [1],
        "status=cancelled": [],
        "status=pending": [3, 2],
        f"from={noon}": [3, 3, 1],
        f"to={noon}": [2],
        f"endpoint_id={first['id']}&status=pending&event=loyalty.points_earned": [2],
    }
    found = {
        query: [each["sequence"] for each in call("GET", f"/webhook-deliveries?{query}&{paging}").json["data"]]
        for query in expected
        for paging in ("per_page=15", "cursor=")
    }
    assert found == expected


@pytest.mark.parametrize(
    "query", ["endpoint_id=x", "event=voucher.exploded", "event_id=550e8400", "status=leased", "from=yesterday", "to=1"]
)
def test_a_filter_that_cannot_be_is_named(call: Call, query: str) -> None:
    answer = call("GET", f"/webhook-deliveries?{query}")
    assert answer.status_code == 400
    assert list(answer.json["error"]["details"]) == [query.partition("=")[0]]


def test_the_list_is_read_to_its_end_by_cursor(call: Call, endpoint: Endpoint, publish: Publish) -> None:
    endpoint()
    publish(7)
    seen, path = [], "/webhook-deliveries?status=pending&per_page=3&cursor="
    while path:
        page = call("GET", path).json
        seen += [each["sequence"] for each in page["data"]]
        following = page["links"]["next"]
        path = following and f"/webhook-deliveries?{urlsplit(following).query}"
    assert seen == [7, 6, 5, 4, 3, 2, 1]


def test_deliveries_of_another_organization_do_not_exist(call: Call, endpoint: Endpoint, publish: Publish) -> None:
    made = endpoint()
    publish()
    (mine,) = call("GET", "/webhook-deliveries").json["data"]
    stranger = {"tenant": 10_000_001}
    assert call("GET", f"/webhook-deliveries?endpoint_id={made['id']}", **stranger).json["meta"]["total"] == 0
    for method, path in (
        ("GET", f"/webhook-deliveries/{mine['id']}"),
        ("POST", f"/webhook-deliveries/{mine['id']}/redeliver"),
        ("POST", f"/webhook-endpoints/{made['id']}/test"),
        ("POST", f"/webhook-endpoints/{made['id']}/rotate-secret"),
        ("GET", f"/webhook-endpoints/{made['id']}/stats"),
        ("GET", f"/webhook-endpoints/{made['id']}/stats?interval=x"),
    ):
        assert call(method, path, **stranger).status_code == 404, path
    assert call("GET", f"/webhook-deliveries/{mine['id']}").json["data"]["status"] == "pending"
