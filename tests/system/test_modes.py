"""An organization's test mode and its live mode never meet: on no route of the OpenAPI, in no list, count or event."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from tests.system.test_isolation import NOBODYS, OF_ONESELF, operations

# What is the organization's, and not a mode's.
SHARED = ("/partner-locations", "/users", "/audit-log")
SHARED_IDS = ("partner_location_id", "user_id")
# Whoever manages the live keys manages them all.
MANAGED_BY_LIVE = "api_key_id"


@pytest.fixture(scope="module")
def both(suite: Any, found_merchant: Any, own_everything: Any) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """A merchant that has one of each in both modes, under the same names, codes and references: the ids of each."""
    merchant = found_merchant(suite)
    live = own_everything(merchant, "shared")
    return merchant, live, own_everything(replace(merchant, api=merchant.test_api), "shared")


def test_no_id_of_one_mode_means_anything_in_the_other(both: Any, document: dict[str, Any], bodies: Any) -> None:
    """Whichever of a path's ids it is."""
    merchant, live, test = both
    tried = 0
    for api, own, other in ((merchant.test_api, test, live), (merchant.api, live, test)):
        for method, path in operations(document, with_id=True):
            body = bodies(own).get(f"{method} {path}", {} if method in ("POST", "PATCH") else None)
            for name in re.findall(r"{(\w+)}", path):
                if name in SHARED_IDS or (name == MANAGED_BY_LIVE and api is merchant.api):
                    continue
                response = api.call(method, path.format_map({**own, name: other[name]}), body)
                assert response.status_code == 404, f"{method} {path}: {response.status_code} {response.text}"
                nobody = api.call(method, path.format_map({**own, name: NOBODYS}), body)
                assert nobody.json()["error"] == response.json()["error"]
                tried += 1
    assert tried >= 80


def test_no_list_and_no_file_shows_or_counts_what_the_other_mode_has(
    suite: Any, found_merchant: Any, document: dict[str, Any], own_everything: Any
) -> None:
    for used, unused in (("api", "test_api"), ("test_api", "api")):
        merchant = found_merchant(suite)
        own_everything(replace(merchant, api=getattr(merchant, used)), "elsewhere")
        api = getattr(merchant, unused)
        for method, path in operations(document, with_id=False):
            if method != "GET" or path in (*SHARED, "/openapi.json") or (path, unused) == ("/api-keys", "api"):
                continue
            if path == "/customers/lookup":
                assert api.call("GET", f"{path}?identifier=elsewhere@example.com").status_code == 404
                continue
            answer = api.call("GET", path)
            assert "elsewhere" not in answer.text, path
            if path.endswith(".csv"):
                assert len(answer.text.splitlines()) == 1, path
            elif path not in OF_ONESELF:
                own, counted = (1 if path == "/api-keys" else 0), "last_sequence" if path == "/events" else "total"
                assert (len(answer.json()["data"]), answer.json()["meta"][counted]) == (own, own), path


def test_an_id_of_the_other_mode_in_a_body_is_400(both: Any) -> None:
    merchant, live, test = both
    for api, own, other in ((merchant.api, live, test), (merchant.test_api, test, live)):
        customer = {"customer_id": other["customer_id"]}
        for path, body in (
            (f"/loyalty-cards/{own['card_id']}/transactions", {**customer, "points": 5}),
            (f"/stamp-cards/{own['stamp_card_id']}/stamps", customer),
            (f"/vouchers/{own['voucher_id']}/redeem", {**customer, "order_amount": 5}),
            (
                "/referral-programs",
                {"name": "x", "loyalty_card_id": other["card_id"], "milestones": [{"type": "enrolled"}]},
            ),
        ):
            assert api.call("POST", path, body).status_code == 400, path


def test_one_idempotency_key_is_another_in_the_other_mode(merchant: Any) -> None:
    made = [
        api.call("POST", "/customers", {"email": "alex@example.com"}, key="once")
        for api in (merchant.api, merchant.test_api)
    ]
    assert [answer.status_code for answer in made] == [201, 201]
    assert len({answer.json()["data"]["id"] for answer in made}) == 2
    assert not any("Idempotent-Replayed" in answer.headers for answer in made)


def test_an_endpoint_hears_of_its_own_mode_alone(merchant: Any, receiver: Any) -> None:
    secrets = {
        mode: api.data("POST", "/webhook-endpoints", {"url": f"{receiver.url}/{mode}"})["signing_secret"]
        for mode, api in (("live", merchant.api), ("test", merchant.test_api))
    }
    ids = {
        mode: api.data("POST", "/customers", {"email": f"{mode}@example.com"})["id"]
        for mode, api in (("test", merchant.test_api), ("live", merchant.api))
    }
    heard = receiver.events("customer.created", 2)
    for one in heard:
        (mode,) = [mode for mode, secret in secrets.items() if one.is_signed_with(secret)]
        assert one.envelope["data"]["id"] == ids[mode]
    assert len(heard) == 2
