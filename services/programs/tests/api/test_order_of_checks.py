"""JSON, then the path, then the fields, then the key, then the rules: a caller mends things in this order."""

from collections.abc import Callable
from typing import Any

import pytest

Call = Callable[..., Any]
WRITES = [
    "/loyalty-cards/{0}/enrollments",
    "/loyalty-cards/{0}/transactions",
    "/loyalty-cards/{0}/redemptions",
    "/loyalty-cards/{0}/rewards/1/claim",
    "/stamp-cards/{0}/stamps",
]


@pytest.mark.parametrize("path", WRITES)
def test_malformed_json_is_said_before_the_path_is_looked_at(call: Call, path: str) -> None:
    response = call("POST", path.format(999_999), data=b'{"customer_id": ', content_type="application/json")
    assert (response.status_code, response.json["error"]["code"]) == (400, "malformed_json")


@pytest.mark.parametrize("path", WRITES)
@pytest.mark.parametrize("sent", [{}, {"customer_id": 1042, "amount": 10, "currency": "USD"}])
def test_a_path_that_does_not_exist_is_said_before_the_fields(call: Call, path: str, sent: dict[str, Any]) -> None:
    response = call("POST", path.format(999_999), sent)
    assert (response.status_code, response.json["error"]["code"]) == (404, "not_found")


def test_a_list_of_a_card_that_does_not_exist_is_404_whatever_the_query(call: Call) -> None:
    for query in ("", "?page=0", "?type=gift"):
        assert call("GET", f"/loyalty-cards/999999/transactions{query}").status_code == 404


def test_the_fields_are_said_before_the_key(call: Call, alex: int, insider: Callable[..., int]) -> None:
    path = f"/loyalty-cards/{insider(auto_enroll=True)}/transactions"
    call("POST", path, {"customer_id": alex, "points": 5}, key="k")
    refused = call("POST", path, {"customer_id": alex, "points": 0}, key="k")
    assert (refused.json["error"]["reason"], list(refused.json["error"]["details"])) == (None, ["points"])


def test_the_key_is_said_before_the_rules(call: Call, alex: int, insider: Callable[..., int]) -> None:
    path = f"/loyalty-cards/{insider(auto_enroll=True)}/transactions"
    call("POST", path, {"customer_id": alex, "points": 5}, key="k")
    refused = call("POST", path, {"customer_id": alex, "points": -500}, key="k")
    assert refused.json["error"]["reason"] == "idempotency_key_reused"


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "amount"),
        ({"amount": 10}, "currency"),
        ({"currency": "USD"}, "amount"),
        ({"amount": 10, "currency": "USD", "points": 5}, "points"),
        ({"points": 0}, "points"),
        ({"points": 1.5}, "points"),
        ({"points": "1_000"}, "points"),
        ({"points": 10**18}, "points"),
        ({"points": True}, "points"),
        ({"amount": 0, "currency": "USD"}, "amount"),
        ({"amount": -1, "currency": "USD"}, "amount"),
        ({"amount": 24.505, "currency": "USD"}, "amount"),
        ({"amount": 10.5, "currency": "JPY"}, "amount"),
        ({"amount": 10_000_000_000, "currency": "USD"}, "amount"),
        ({"amount": "ten", "currency": "USD"}, "amount"),
        ({"amount": 10, "currency": "XXQ"}, "currency"),
        ({"points": 5, "reference": "x" * 256}, "reference"),
        ({"points": 5, "notes": ["a"]}, "notes"),
        ({"points": 5, "occurred_at": "yesterday"}, "occurred_at"),
        ({"points": 5, "occurred_at": "2026-05-16T10:12:00"}, "occurred_at"),
        ({"points": 5, "partner_location_id": 0}, "partner_location_id"),
    ],
)
def test_what_is_wrong_is_said_under_its_field(
    call: Call, alex: int, insider: Callable[..., int], sent: dict[str, Any], field: str
) -> None:
    response = call("POST", f"/loyalty-cards/{insider()}/transactions", {"customer_id": alex, **sent})
    assert (response.status_code, response.json["error"]["reason"]) == (400, None)
    assert list(response.json["error"]["details"]) == [field]


def test_unknown_fields_are_named_in_warnings(call: Call, alex: int, insider: Callable[..., int]) -> None:
    path = f"/loyalty-cards/{insider()}/enrollments"
    warnings = call("POST", path, {"customer_id": alex, "colour": "red"}).json["meta"]["warnings"]
    assert [warning["field"] for warning in warnings] == ["colour"]
