"""A merchant changes the secret that deliveries are signed with."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from loyalty_webhooks.domain.resealing import reseal
from loyalty_webhooks.domain.secret_box import SecretBox
from loyalty_webhooks.settings import Settings

Call = Callable[..., Any]
Endpoint = Callable[..., dict[str, Any]]
Rows = Callable[..., list[Any]]
SEALED = "select id, sealed_secret, previous_sealed_secret from webhook_endpoints where tenant_id = :tenant_id"


def moments_from_now(shown: str) -> timedelta:
    return datetime.fromisoformat(shown) - datetime.now(UTC)


def test_a_new_secret_is_shown_once_and_the_old_one_signs_for_another_day(
    call: Call, endpoint: Endpoint, rows: Rows, settings: Settings, tenant_id: int
) -> None:
    made = endpoint()
    answer = call("POST", f"/webhook-endpoints/{made['id']}/rotate-secret")
    assert answer.status_code == 200
    rotated = answer.json["data"]
    assert list(rotated) == list(made)
    assert rotated["signing_secret"] != made["signing_secret"]
    assert rotated["signing_secret_hint"] == f"whsec_…{rotated['signing_secret'][-4:]}"
    lasts = moments_from_now(rotated["previous_secret_expires_at"])
    assert timedelta(hours=23, minutes=59) < lasts <= timedelta(hours=24)
    (stored,) = rows(SEALED)
    opened = SecretBox(settings.secret_keys).open_all(*stored[1:], tenant_id=tenant_id, endpoint_id=made["id"])
    assert opened == [rotated["signing_secret"], made["signing_secret"]]
    del rotated["signing_secret"]
    assert call("GET", f"/webhook-endpoints/{made['id']}").json["data"] == rotated


@pytest.mark.parametrize(("sent", "hours"), [({}, 24), ({"overlap_hours": None}, 24), ({"overlap_hours": 168}, 168)])
def test_the_overlap_can_be_chosen(call: Call, endpoint: Endpoint, sent: dict[str, Any], hours: int) -> None:
    rotated = call("POST", f"/webhook-endpoints/{endpoint()['id']}/rotate-secret", sent).json["data"]
    lasts = moments_from_now(rotated["previous_secret_expires_at"])
    assert timedelta(0) <= timedelta(hours=hours) - lasts < timedelta(minutes=1)


@pytest.mark.parametrize("hours", [-1, 169, 0.5, "a day"])
def test_an_overlap_that_cannot_be_is_named(call: Call, endpoint: Endpoint, hours: Any) -> None:
    path = f"/webhook-endpoints/{endpoint()['id']}/rotate-secret"
    answer = call("POST", path, {"overlap_hours": hours})
    assert (answer.status_code, list(answer.json["error"]["details"])) == (400, ["overlap_hours"])
    assert call("POST", path, {"overlap_hours": hours}, tenant=10_000_001).status_code == 404


def test_without_an_overlap_the_old_secret_is_forgotten_at_once(call: Call, endpoint: Endpoint, rows: Rows) -> None:
    made = endpoint()
    call("POST", f"/webhook-endpoints/{made['id']}/rotate-secret")
    rotated = call("POST", f"/webhook-endpoints/{made['id']}/rotate-secret", {"overlap_hours": 0}).json["data"]
    assert rotated["previous_secret_expires_at"] is None
    assert rows(SEALED)[0].previous_sealed_secret is None


def test_a_rotation_that_is_repeated_rotates_once_and_shows_no_secret(
    call: Call, endpoint: Endpoint, rows: Rows
) -> None:
    path = f"/webhook-endpoints/{endpoint()['id']}/rotate-secret"
    first = call("POST", path, key="k")
    stored = rows(SEALED)
    again = call("POST", path, key="k")
    assert again.json["data"] == first.json["data"] | {"signing_secret": None}
    assert rows(SEALED) == stored
    secret = first.json["data"]["signing_secret"]
    stored_replies = "select 1 from idempotency where tenant_id = :tenant_id and position(:secret in body) > 0"
    assert rows(stored_replies, secret=secret) == []


def test_rotations_and_changes_at_once_are_one_after_the_other(
    client: FlaskClient,
    endpoint: Endpoint,
    rows: Rows,
    settings: Settings,
    gateway_token: Callable[..., str],
    tenant_id: int,
) -> None:
    made = endpoint()
    headers = {"Authorization": f"Bearer {gateway_token('webhooks', tenant_id=tenant_id)}"}
    path = f"/v1/webhook-endpoints/{made['id']}"

    def ask(number: int) -> Any:
        own = client.application.test_client()
        if number % 2:
            return own.patch(path, json={"description": f"Office {number}"}, headers=headers)
        return own.post(f"{path}/rotate-secret", headers=headers)

    with ThreadPoolExecutor(8) as hands:
        answers = list(hands.map(ask, range(24)))
    assert {answer.status_code for answer in answers} == {200}
    shown = {answer.json["data"].get("signing_secret") for answer in answers} - {None}
    (stored,) = rows(SEALED)
    opened = SecretBox(settings.secret_keys).open_all(*stored[1:], tenant_id=tenant_id, endpoint_id=made["id"])
    assert len(shown) == 12
    assert len(set(opened) & shown) == 2
    (endpoint_row,) = rows("select version from webhook_endpoints where tenant_id = :tenant_id")
    assert endpoint_row.version == 1 + 24


def test_a_previous_secret_is_forgotten_when_its_time_is_over(
    call: Call, endpoint: Endpoint, rows: Rows, engine: Engine, settings: Settings
) -> None:
    made = endpoint()
    call("POST", f"/webhook-endpoints/{made['id']}/rotate-secret", {"overlap_hours": 1})
    box = SecretBox(settings.secret_keys)
    reseal(engine, box)
    assert rows(SEALED)[0].previous_sealed_secret is not None
    rows("update webhook_endpoints set previous_secret_expires_at = now() where tenant_id = :tenant_id")
    reseal(engine, box)
    assert rows(SEALED)[0].previous_sealed_secret is None
    assert call("GET", f"/webhook-endpoints/{made['id']}").json["data"]["previous_secret_expires_at"] is None
