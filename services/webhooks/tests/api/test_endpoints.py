"""Webhook endpoints as an integrator sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

Call = Callable[..., Any]
URL = "https://127.0.0.1:8443/loyalty?shop=1"
ENDPOINT_KEYS = [
    "id",
    "url",
    "description",
    "events",
    "is_active",
    "status",
    "disabled_reason",
    "disabled_at",
    "max_in_flight",
    "rate_limit_per_second",
    "signing_secret_hint",
    "previous_secret_expires_at",
    "created_at",
    "updated_at",
]


def test_an_endpoint_is_created_with_a_secret_that_is_shown_once(call: Call) -> None:
    answer = call("POST", "/webhook-endpoints", {"url": URL, "events": ["voucher.redeemed"], "description": "Office"})
    assert answer.status_code == 201
    created = answer.json["data"]
    assert list(created) == [*ENDPOINT_KEYS, "signing_secret"]
    assert created["signing_secret"].startswith("whsec_")
    assert created["signing_secret_hint"] == f"whsec_…{created['signing_secret'][-4:]}"
    assert (created["url"], created["events"], created["description"]) == (URL, ["voucher.redeemed"], "Office")
    assert (created["is_active"], created["status"], created["max_in_flight"]) == (True, "active", 32)
    del created["signing_secret"]
    assert call("GET", f"/webhook-endpoints/{created['id']}").json["data"] == created
    assert call("GET", "/webhook-endpoints").json["data"] == [created]


def test_only_the_url_is_required_and_every_event_is_the_default(call: Call) -> None:
    assert call("POST", "/webhook-endpoints", {"url": URL}).json["data"]["events"] == ["*"]
    refused = call("POST", "/webhook-endpoints", {"events": ["*"]})
    assert refused.status_code == 400
    assert refused.json["error"]["details"] == {"url": ["The url field is required."]}


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("url", "http://hooks.example.com/", "url"),
        ("url", "https://user@hooks.example.com/", "url"),
        ("url", 7, "url"),
        ("events", [], "events"),
        ("events", "voucher.redeemed", "events"),
        ("events", ["voucher.redeemed", "voucher.exploded"], "events.1"),
        ("events", [None], "events.0"),
        ("events", [{"a": 1}], "events.0"),
        ("events", ["*"] * 20, "events"),
        ("is_active", "yes", "is_active"),
        ("max_in_flight", 0, "max_in_flight"),
        ("max_in_flight", 33, "max_in_flight"),
        ("max_in_flight", 2.5, "max_in_flight"),
        ("description", "a" * 256, "description"),
    ],
)
def test_a_field_that_cannot_be_is_named(call: Call, field: str, value: Any, named: str) -> None:
    answer = call("POST", "/webhook-endpoints", {"url": URL, field: value})
    assert answer.status_code == 400
    assert list(answer.json["error"]["details"]) == [named]


@pytest.mark.parametrize(
    "url", ["https://10.0.0.1/", "https://0x0a.1/", "https://[::ffff:10.0.0.1]/", "https://169.254.169.254/latest"]
)
def test_an_address_that_is_not_public_is_refused(call: Call, url: str) -> None:
    answer = call("POST", "/webhook-endpoints", {"url": url})
    assert answer.status_code == 400
    assert answer.json["error"]["reason"] == "endpoint_address_refused"
    assert answer.json["error"]["details"] == {
        "url": ["The endpoint's host resolves to an address that is not public."]
    }


def test_a_host_that_does_not_resolve_is_refused(call: Call) -> None:
    answer = call("POST", "/webhook-endpoints", {"url": "https://nobody.invalid/"})
    assert answer.json["error"]["reason"] == "endpoint_address_refused"


def test_the_list_filters_by_activity(call: Call) -> None:
    active = call("POST", "/webhook-endpoints", {"url": URL}).json["data"]["id"]
    paused = call("POST", "/webhook-endpoints", {"url": URL, "is_active": False}).json["data"]
    assert paused["status"] == "paused"
    found = {
        wanted: [each["id"] for each in call("GET", f"/webhook-endpoints?is_active={wanted}").json["data"]]
        for wanted in ("true", "false")
    }
    assert found == {"true": [active], "false": [paused["id"]]}
    assert call("GET", "/webhook-endpoints?is_active=maybe").status_code == 400


def test_the_list_pages_newest_first(call: Call) -> None:
    made = [call("POST", "/webhook-endpoints", {"url": URL}).json["data"]["id"] for _ in range(5)]
    page = call("GET", "/webhook-endpoints?per_page=2&page=2").json
    assert [each["id"] for each in page["data"]] == [made[2], made[1]]
    assert page["meta"]["total"] == 5
    assert page["links"]["next"] == "https://loyalty.test/api/v1/webhook-endpoints?per_page=2&page=3"


def test_a_deleted_endpoint_is_gone_and_so_is_its_secret(call: Call, engine: Engine) -> None:
    endpoint_id = call("POST", "/webhook-endpoints", {"url": URL}).json["data"]["id"]
    answer = call("DELETE", f"/webhook-endpoints/{endpoint_id}")
    assert answer.status_code == 200
    assert list(answer.json["data"]) == ["id", "deleted_at"]
    assert call("GET", f"/webhook-endpoints/{endpoint_id}").status_code == 404
    assert call("DELETE", f"/webhook-endpoints/{endpoint_id}").status_code == 404
    assert call("GET", "/webhook-endpoints").json["data"] == []
    with engine.connect() as connection:
        stored = connection.execute(
            text("select sealed_secret, previous_sealed_secret from webhook_endpoints where id = :id"),
            {"id": endpoint_id},
        ).one()
    assert tuple(stored) == (None, None)


def test_a_repeated_request_makes_one_endpoint_and_does_not_show_the_secret_again(call: Call) -> None:
    first = call("POST", "/webhook-endpoints", {"url": URL}, key="once")
    again = call("POST", "/webhook-endpoints", {"url": URL}, key="once")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json["data"] == {**first.json["data"], "signing_secret": None}
    assert call("GET", "/webhook-endpoints").json["meta"]["total"] == 1
    other = call("POST", "/webhook-endpoints", {"url": URL, "max_in_flight": 1}, key="once")
    assert other.json["error"]["reason"] == "idempotency_key_reused"


def test_a_deletion_whose_answer_was_lost_can_be_repeated(call: Call) -> None:
    endpoint_id = call("POST", "/webhook-endpoints", {"url": URL}).json["data"]["id"]
    key = {"X-Loyalty-Request-Key": "3f0c9bd2-4a51-4c38-9b0e-0d5a6a0f4f11"}
    first = call("DELETE", f"/webhook-endpoints/{endpoint_id}", headers=key)
    assert call("DELETE", f"/webhook-endpoints/{endpoint_id}", headers=key).json["data"] == first.json["data"]


def test_another_organization_sees_nothing(call: Call, tenant_id: int) -> None:
    endpoint_id = call("POST", "/webhook-endpoints", {"url": URL}).json["data"]["id"]
    stranger = tenant_id + 1_000_000
    assert call("GET", f"/webhook-endpoints/{endpoint_id}", tenant=stranger).status_code == 404
    assert call("DELETE", f"/webhook-endpoints/{endpoint_id}", tenant=stranger).status_code == 404
    listed = call("GET", "/webhook-endpoints", tenant=stranger).json
    assert (listed["data"], listed["meta"]["total"]) == ([], 0)
    assert call("GET", f"/webhook-endpoints/{endpoint_id}").status_code == 200


def test_secrets_are_sealed_in_every_table(call: Call, engine: Engine) -> None:
    secret = call("POST", "/webhook-endpoints", {"url": URL}, key="k").json["data"]["signing_secret"]
    with engine.connect() as connection:
        for table in ("webhook_endpoints", "idempotency"):
            found = connection.execute(
                text(f"select count(*) from {table} t where position(:secret in t::text) > 0"), {"secret": secret}
            ).scalar_one()
            assert found == 0, table


def test_a_call_without_the_gateways_identity_is_refused(client: Any, gateway_token: Callable[..., str]) -> None:
    assert client.get("/v1/webhook-endpoints").status_code == 401
    foreign = {"Authorization": f"Bearer {gateway_token('customers')}"}
    assert client.get("/v1/webhook-endpoints", headers=foreign).status_code == 401
