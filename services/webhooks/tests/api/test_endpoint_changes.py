"""A merchant changes an endpoint, pauses it, and opens it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from loyalty_webhooks.domain.endpoint_changes import changed_settings

Call = Callable[..., Any]
Endpoint = Callable[..., dict[str, Any]]
ELSEWHERE = "https://127.0.0.1:9443/elsewhere"


def test_what_is_left_out_stays_and_what_is_sent_changes(call: Call, endpoint: Endpoint) -> None:
    made = endpoint(description="Office", events=["stamp.issued"], max_in_flight=8, rate_limit_per_second=50)
    del made["signing_secret"]
    changes = {"url": ELSEWHERE, "events": ["*"], "rate_limit_per_second": 5}
    answer = call("PATCH", f"/webhook-endpoints/{made['id']}", changes)
    assert answer.status_code == 200
    changed = answer.json["data"]
    assert changed == made | changes | {"updated_at": changed["updated_at"]}
    assert call("GET", f"/webhook-endpoints/{made['id']}").json["data"] == changed


def test_null_means_the_default(call: Call, endpoint: Endpoint) -> None:
    made = endpoint(
        description="Office", events=["stamp.issued"], max_in_flight=8, rate_limit_per_second=50, is_active=False
    )
    sent = dict.fromkeys(("description", "events", "max_in_flight", "rate_limit_per_second", "is_active"))
    changed = call("PATCH", f"/webhook-endpoints/{made['id']}", sent).json["data"]
    assert {name: changed[name] for name in sent} == {
        "description": None,
        "events": ["*"],
        "max_in_flight": 32,
        "rate_limit_per_second": None,
        "is_active": True,
    }


def test_what_is_as_it_was_is_not_touched(call: Call, endpoint: Endpoint, rows: Callable[..., list[Any]]) -> None:
    made = endpoint(description="Office")
    before = rows("select * from webhook_endpoints where tenant_id = :tenant_id")
    for same in ({}, {"description": "Office", "is_active": True}):
        assert call("PATCH", f"/webhook-endpoints/{made['id']}", same).status_code == 200
    assert rows("select * from webhook_endpoints where tenant_id = :tenant_id") == before


@pytest.mark.parametrize(
    ("sent", "named"),
    [
        ({"url": None}, "url"),
        ({"url": "http://hooks.example.com/"}, "url"),
        ({"events": ["voucher.redeemed", "voucher.exploded"]}, "events.1"),
        ({"rate_limit_per_second": 0}, "rate_limit_per_second"),
        ({"rate_limit_per_second": 1001}, "rate_limit_per_second"),
        ({"is_active": "no"}, "is_active"),
    ],
)
def test_a_change_that_cannot_be_is_named_and_changes_nothing(
    call: Call, endpoint: Endpoint, sent: dict[str, Any], named: str
) -> None:
    made = endpoint()
    path = f"/webhook-endpoints/{made['id']}"
    before = call("GET", path).json["data"]
    answer = call("PATCH", path, {"description": "new", **sent})
    assert answer.status_code == 400
    assert list(answer.json["error"]["details"]) == [named]
    assert call("GET", path).json["data"] == before
    foreign = call("PATCH", path, sent, tenant=10_000_001)
    assert foreign.status_code == 404


@pytest.mark.parametrize("url", ["https://10.0.0.1/", "https://[::ffff:169.254.169.254]/", "https://nobody.invalid/"])
def test_a_new_url_is_looked_at_as_the_first_one_was(call: Call, endpoint: Endpoint, url: str) -> None:
    made = endpoint()
    answer = call("PATCH", f"/webhook-endpoints/{made['id']}", {"url": url})
    assert (answer.status_code, answer.json["error"]["reason"]) == (400, "endpoint_address_refused")
    assert call("GET", f"/webhook-endpoints/{made['id']}").json["data"]["url"] == made["url"]


def test_a_paused_endpoint_is_owed_nothing_new_and_what_is_pending_waits(
    call: Call, endpoint: Endpoint, publish: Callable[..., Any]
) -> None:
    made = endpoint()
    publish()
    paused = call("PATCH", f"/webhook-endpoints/{made['id']}", {"is_active": False}).json["data"]
    assert (paused["is_active"], paused["status"]) == (False, "paused")
    publish()
    (waiting,) = call("GET", "/webhook-deliveries").json["data"]
    assert (waiting["status"], waiting["sequence"]) == ("pending", 1)
    assert call("PATCH", f"/webhook-endpoints/{made['id']}", {"is_active": True}).json["data"]["status"] == "active"
    publish()
    assert [each["sequence"] for each in call("GET", "/webhook-deliveries").json["data"]] == [3, 1]


def test_an_endpoint_that_we_disabled_is_opened_again_by_its_owner(
    call: Call, endpoint: Endpoint, rows: Callable[..., list[Any]]
) -> None:
    path = f"/webhook-endpoints/{endpoint()['id']}"
    rows("""
        update webhook_endpoints set is_active = false, disabled_reason = 'gone', disabled_at = now()
         where tenant_id = :tenant_id
    """)
    for sent in ({"description": "closed"}, {"is_active": False}):
        shown = call("PATCH", path, sent).json["data"]
        assert (shown["status"], shown["disabled_reason"]) == ("disabled", "gone")
    opened = call("PATCH", path, {"is_active": True}).json["data"]
    assert (opened["status"], opened["disabled_reason"], opened["disabled_at"]) == ("active", None, None)


@pytest.fixture
def blocked(endpoint: Endpoint, rows: Callable[..., list[Any]]) -> str:
    """The path of an endpoint whose breaker is open."""
    endpoint_id = endpoint()["id"]
    rows(
        """
            insert into lanes (tenant_id, endpoint_id, failures, times_opened, blocked_until)
            values (:tenant_id, :endpoint_id, 5, 1, now() + interval '1 minute')
        """,
        endpoint_id=endpoint_id,
    )
    return f"/webhook-endpoints/{endpoint_id}"


def test_an_endpoint_that_fails_is_shown_as_blocked_until_it_may_be_tried(
    call: Call, blocked: str, rows: Callable[..., list[Any]]
) -> None:
    rotated = call("POST", f"{blocked}/rotate-secret").json["data"]
    changed = call("PATCH", blocked, {"description": "fails"}).json["data"]
    listed = call("GET", "/webhook-endpoints").json["data"]
    assert [each["status"] for each in (rotated, changed, *listed)] == ["blocked"] * 3
    assert call("GET", blocked).json["data"] == listed[0]
    for ended in ("blocked_until = now()", "blocked_until = now() + interval '1 minute', times_opened = 0"):
        rows(f"update lanes set {ended} where tenant_id = :tenant_id")
        assert call("GET", blocked).json["data"]["status"] == "active"


@pytest.mark.parametrize(
    ("sent", "statuses", "is_forgotten"),
    [
        ([{"description": "new", "is_active": True}], ["blocked"], False),
        ([{"url": ELSEWHERE}], ["active"], True),
        ([{"is_active": False}], ["paused"], False),
        ([{"is_active": False}, {"is_active": True}], ["paused", "active"], True),
    ],
)
def test_another_receiver_and_one_that_is_opened_again_start_anew(
    call: Call,
    blocked: str,
    rows: Callable[..., list[Any]],
    sent: list[dict[str, Any]],
    statuses: list[str],
    is_forgotten: bool,
) -> None:
    assert [call("PATCH", blocked, each).json["data"]["status"] for each in sent] == statuses
    assert call("GET", blocked).json["data"]["status"] == statuses[-1]
    assert (rows("select from lanes where tenant_id = :tenant_id") == []) is is_forgotten


def test_a_change_that_is_repeated_changes_once(call: Call, endpoint: Endpoint) -> None:
    path = f"/webhook-endpoints/{endpoint()['id']}"
    first = call("PATCH", path, {"description": "first"}, key="k")
    call("PATCH", path, {"description": "second"})
    again = call("PATCH", path, {"description": "first"}, key="k")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json["data"] == first.json["data"]
    assert call("GET", path).json["data"]["description"] == "second"


def test_a_deleted_endpoint_is_not_changed(call: Call, endpoint: Endpoint) -> None:
    path = f"/webhook-endpoints/{endpoint()['id']}"
    call("DELETE", path)
    for method, below, body in (
        ("PATCH", "", {"is_active": True}),
        ("PATCH", "", {"url": ELSEWHERE}),
        ("POST", "/rotate-secret", None),
        ("POST", "/test", None),
        ("GET", "/stats", None),
    ):
        assert call(method, f"{path}{below}", body).status_code == 404, below


@pytest.mark.parametrize(
    ("changes", "reason"), [({}, "gone"), ({"is_active": False}, "gone"), ({"is_active": True}, None)]
)
def test_only_opening_forgets_why_we_closed(changes: dict[str, Any], reason: str | None) -> None:
    stored = {"is_active": False, "disabled_reason": "gone", "disabled_at": "then"}
    assert changed_settings(stored, changes)["disabled_reason"] == reason
