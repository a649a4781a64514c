"""Bad input gets a clear 400 in the envelope, never a 500, never half an effect."""

from __future__ import annotations

from typing import Any

import pytest

JSON = {"Content-Type": "application/json"}
DEEP = b'{"email": ' + b"[" * 20 + b"]" * 20 + b"}"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "malformed_json"),
        (b"{", "malformed_json"),
        (b"[]", "malformed_json"),
        (b'"alex"', "malformed_json"),
        (b"null", "malformed_json"),
        (b"\xff\xfe{}", "malformed_json"),
        (b'{"email": "a@example.com", "email": "b@example.com"}', "malformed_json"),
        (b'{"email": "a\\u0000@example.com"}', "malformed_json"),
        (b'{"email": "a@example.com", "name": "\\ud800"}', "malformed_json"),
        (b'{"email": "a@example.com", "name": "\x07"}', "malformed_json"),
        (b'{"email": NaN}', "malformed_json"),
        (b'{"email": 1e400}', "malformed_json"),
        (DEEP, "malformed_json"),
        (b"{}", "validation_error"),
        (b'{"email": null}', "validation_error"),
        (b'{"email": 5}', "validation_error"),
        (b'{"email": {"a": 1}}', "validation_error"),
        (b'{"email": "a@example.com", "phone": "12"}', "validation_error"),
    ],
)
def test_a_body_that_cannot_be_meant_is_refused(merchant: Any, body: bytes, code: str) -> None:
    response = merchant.api.call("POST", "/customers", data=body, headers=JSON)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == code
    assert merchant.api.call("GET", "/customers").json()["meta"]["total"] == 0


@pytest.mark.parametrize("chunked", [False, True])
def test_two_megabytes_are_too_many(merchant: Any, chunked: bool) -> None:
    body = b'{"email": "a@example.com", "name": "' + b"x" * 2_000_000 + b'"}'
    response = merchant.api.call("POST", "/customers", data=iter([body]) if chunked else body, headers=JSON)
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "payload_too_large"


def test_what_is_not_json_is_415(merchant: Any) -> None:
    response = merchant.api.call("POST", "/customers", data="email=a", headers={"Content-Type": "text/plain"})
    assert (response.status_code, response.json()["error"]["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"points": 5, "amount": 10, "currency": "USD"}, None),
        ({}, None),
        ({"amount": 10}, "currency"),
        ({"currency": "USD"}, "amount"),
        ({"points": 0}, "points"),
        ({"points": 1.5}, "points"),
        ({"points": "1_000"}, "points"),
        ({"points": True}, "points"),
        ({"points": 10**29}, "points"),
        ({"amount": -1, "currency": "USD"}, "amount"),
        ({"amount": 0, "currency": "USD"}, "amount"),
        ({"amount": "abc", "currency": "USD"}, "amount"),
        ({"amount": 1.999, "currency": "USD"}, "amount"),
        ({"amount": 10_000_000_000, "currency": "USD"}, "amount"),
        ({"amount": 10, "currency": "XXQ"}, "currency"),
        ({"points": 5, "occurred_at": "2020-01-01T00:00:00+00:00"}, "occurred_at"),
        ({"points": 5, "occurred_at": "tomorrow"}, "occurred_at"),
        ({"points": 5, "partner_location_id": 999_999}, "partner_location_id"),
        ({"points": 5, "reference": "x" * 300}, "reference"),
    ],
)
def test_a_purchase_that_makes_no_sense_is_refused_under_its_field(
    merchant: Any, sent: dict[str, Any], field: str | None
) -> None:
    card = {"name": "Points", "partner_location_id": merchant.partner_location_id, "auto_enroll": True}
    card_id = merchant.api.data("POST", "/loyalty-cards", {**card, "earn_spend_amount": 10, "earn_points": 1})["id"]
    merchant.api.data("POST", "/customers", {"email": "alex@example.com"})
    path = f"/loyalty-cards/{card_id}/transactions"
    response = merchant.api.call("POST", path, {"customer_email": "alex@example.com", **sent})
    assert response.status_code == 400, response.text
    assert field is None or field in response.json()["error"]["details"], response.text
    assert merchant.api.data("GET", path) == []


@pytest.mark.parametrize(
    "naming", [{}, {"customer_id": 999_999}, {"customer_email": "nobody@example.com"}, {"customer_id": "x"}]
)
def test_a_customer_must_be_named_and_known(merchant: Any, naming: dict[str, Any]) -> None:
    card = {"name": "Points", "partner_location_id": merchant.partner_location_id}
    card_id = merchant.api.data("POST", "/loyalty-cards", card)["id"]
    response = merchant.api.call("POST", f"/loyalty-cards/{card_id}/transactions", {**naming, "points": 5})
    assert response.status_code == 400
    assert set(response.json()["error"]["details"]) <= {"customer_id", "customer_email"}


def test_the_path_is_judged_before_the_fields(merchant: Any) -> None:
    response = merchant.api.call("POST", "/loyalty-cards/999999/transactions", {})
    assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")
    malformed = merchant.api.call("POST", "/loyalty-cards/999999/transactions", data=b"{", headers=JSON)
    assert malformed.json()["error"]["code"] == "malformed_json"
