"""Another organization's data does not exist: on any route of the OpenAPI, in any list, count or error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

BODIES = {
    "/loyalty-cards/{id}": {"name": "mine"},
    "/loyalty-cards/{id}/enrollments/{id}": {"status": "suspended"},
    "/loyalty-cards/{id}/rewards": {"title": "mine", "points_cost": 5},
    "/loyalty-cards/{id}/rewards/{id}": {"title": "mine"},
    "/loyalty-cards/{id}/rewards/{id}/claim": {"customer_email": "mine@example.com"},
    "/loyalty-cards/{id}/enrollments": {"customer_email": "mine@example.com"},
    "/loyalty-cards/{id}/transactions": {"customer_email": "mine@example.com", "points": 5},
    "/loyalty-cards/{id}/transactions/preview": {"customer_email": "mine@example.com", "points": 5},
    "/loyalty-cards/{id}/redemptions": {"customer_email": "mine@example.com", "points": 5},
    "/stamp-cards/{id}": {"name": "mine"},
    "/stamp-cards/{id}/stamps": {"customer_email": "mine@example.com"},
    "/referral-programs/{id}/codes": {"customer_email": "mine@example.com"},
    "/referral-programs/{id}/referrals": {"customer_email": "mine@example.com", "referral_code": "ALEX-7KQ2"},
    "/vouchers/{id}/redeem": {"customer_email": "mine@example.com", "order_amount": 20},
    "/vouchers/{id}/validate": {"order_amount": 20},
}


OF_ONESELF = ("/me", "/organization", "/statistics")


@pytest.fixture(scope="module")
def paths(suite: Any) -> dict[str, Any]:
    document: dict[str, Any] = requests.get(f"{suite.base_url}/openapi.json", timeout=10).json()
    return document["paths"]


def own_everything(merchant: Any, name: str) -> dict[str, int]:
    """One of each, by the first segment of its path."""
    location = {"partner_location_id": merchant.partner_location_id}
    bodies = {
        "customers": {"email": f"{name}@example.com", "name": f"{name} secret"},
        "loyalty-cards": {"name": f"{name} card", **location, "auto_enroll": True},
        "stamp-cards": {"name": f"{name} stamps", **location, "stamps_required_for_reward": 10},
        "vouchers": {"name": f"{name} voucher", **location, "discount_type": "fixed", "discount_value": 5},
        "voucher-batches": {
            "name": f"{name} batch",
            "quantity": 2,
            **location,
            "discount_type": "fixed",
            "discount_value": 5,
        },
        "webhook-endpoints": {"url": f"http://127.0.0.1:9/{name}"},
    }
    ids = {kind: merchant.api.data("POST", f"/{kind}", body)["id"] for kind, body in bodies.items()}
    ids["partner-locations"] = merchant.partner_location_id
    file = {"data": f"email\n{name}@example.com\n", "headers": {"Content-Type": "text/csv"}}
    ids["imports"] = merchant.api.data("POST", "/imports?type=customers", **file)["id"]
    email = {"customer_email": f"{name}@example.com"}
    program = {"loyalty_card_id": ids["loyalty-cards"], "milestones": [{"type": "enrolled"}]}
    ids["referral-programs"] = merchant.api.data("POST", "/referral-programs", {"name": f"{name} friends", **program})[
        "id"
    ]
    merchant.api.data("POST", f"/loyalty-cards/{ids['loyalty-cards']}/transactions", {**email, "points": 5})
    merchant.api.data("POST", f"/stamp-cards/{ids['stamp-cards']}/stamps", email)
    merchant.api.data("POST", f"/vouchers/{ids['vouchers']}/redeem", {**email, "order_amount": 5, "notes": name})
    ids["reconciliations"] = merchant.api.data("POST", "/reconciliations", reconciliation(ids["loyalty-cards"]))["id"]
    return ids


def reconciliation(card_id: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    window = {"from": (now - timedelta(hours=1)).isoformat(), "to": now.isoformat()}
    return {"loyalty_card_id": card_id, **window, "entries": [{"reference": "POS-1", "amount": 5, "currency": "USD"}]}


def operations(paths: dict[str, Any], *, with_id: bool) -> Iterator[tuple[str, str]]:
    for path, methods in paths.items():
        for method in methods:
            if method in ("get", "post", "patch", "put", "delete") and ("{" in path) == with_id:
                yield method.upper(), path


def test_every_route_with_an_id_is_404_for_another_organization(
    suite: Any, found_merchant: Any, paths: dict[str, Any]
) -> None:
    theirs = own_everything(found_merchant(suite), "theirs")
    mine = found_merchant(suite)
    own_everything(mine, "mine")
    tried = 0
    for api in (mine.api, mine.test_api):
        for method, path in operations(paths, with_id=True):
            kind = path.split("/")[1]
            template = re.sub(r"\{[^}]+\}", "{id}", path)
            body = BODIES.get(template, {} if method == "PATCH" else None)
            response = api.call(method, template.replace("{id}", str(theirs[kind])), body)
            assert response.status_code == 404, f"{method} {path}: {response.status_code} {response.text}"
            nobody = api.call(method, template.replace("{id}", "888888888888"), body)
            assert nobody.json()["error"] == response.json()["error"]
            tried += 1
    assert tried >= 16


def test_no_list_shows_or_counts_what_is_not_ones_own(suite: Any, found_merchant: Any, paths: dict[str, Any]) -> None:
    own_everything(found_merchant(suite), "theirs")
    stranger = found_merchant(suite)
    for api in (stranger.api, stranger.test_api):
        for method, path in operations(paths, with_id=False):
            if path == "/customers/lookup":
                assert api.call("GET", f"{path}?identifier=theirs@example.com").status_code == 404
            elif method == "GET" and path.endswith(".csv"):
                assert len(api.call("GET", path).text.splitlines()) == 1, path
            elif method == "GET" and path not in ("/openapi.json", *OF_ONESELF):
                answer = api.call("GET", path).json()
                own = 1 if path == "/partner-locations" else 0
                assert (len(answer["data"]), answer["meta"]["total"]) == (own, own), path
                assert "theirs" not in str(answer)


def test_a_foreign_id_in_a_body_is_400_and_says_nothing(suite: Any, found_merchant: Any) -> None:
    other = found_merchant(suite)
    theirs = own_everything(other, "theirs")
    mine = found_merchant(suite)
    ids = own_everything(mine, "mine")
    refused = [
        ("/loyalty-cards", {"name": "x", "partner_location_id": other.partner_location_id}),
        (
            "/stamp-cards",
            {"name": "x", "partner_location_id": other.partner_location_id, "stamps_required_for_reward": 5},
        ),
        (
            "/vouchers",
            {
                "name": "x",
                "partner_location_id": other.partner_location_id,
                "discount_type": "fixed",
                "discount_value": 5,
            },
        ),
        (f"/loyalty-cards/{ids['loyalty-cards']}/transactions", {"customer_id": theirs["customers"], "points": 5}),
        (f"/loyalty-cards/{ids['loyalty-cards']}/enrollments", {"customer_email": "theirs@example.com"}),
        (f"/stamp-cards/{ids['stamp-cards']}/stamps", {"customer_id": theirs["customers"]}),
        ("/reconciliations", reconciliation(theirs["loyalty-cards"])),
        (f"/vouchers/{ids['vouchers']}/redeem", {"customer_email": "theirs@example.com", "order_amount": 5}),
        (
            "/referral-programs",
            {"name": "x", "loyalty_card_id": theirs["loyalty-cards"], "milestones": [{"type": "enrolled"}]},
        ),
        (f"/referral-programs/{ids['referral-programs']}/codes", {"customer_id": theirs["customers"]}),
    ]
    for path, body in refused:
        response = mine.api.call("POST", path, body)
        assert response.status_code == 400, f"{path}: {response.text}"
        assert "theirs" not in response.text.replace("theirs@example.com", "")


def test_the_test_mode_of_an_organization_is_another_tenant(merchant: Any) -> None:
    customer = merchant.api.data("POST", "/customers", {"email": "alex@example.com"})
    assert merchant.test_api.call("GET", f"/customers/{customer['id']}").status_code == 404
    assert merchant.test_api.data("POST", "/customers", {"email": "alex@example.com"})["id"] != customer["id"]
