"""A till that lost the answer sends it again: by key, by reference, or by both."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

Call = Callable[..., Any]
SALE = {"customer_id": 1042, "amount": 24.50, "currency": "USD", "reference": "POS-88421"}


@pytest.fixture
def path(call: Call, alex: int, insider: Callable[..., int]) -> str:
    card = insider(initial_bonus_points=0)
    call("POST", f"/loyalty-cards/{card}/enrollments", {"customer_id": alex})
    return f"/loyalty-cards/{card}/transactions"


def test_the_same_key_answers_the_same_without_an_event(call: Call, path: str, events: Callable[[], Any]) -> None:
    first = call("POST", path, {**SALE, "reference": None}, key="k")
    # Sent again with its keys in another order and 24.5 for 24.50.
    again = call("POST", path, dict(reversed({**SALE, "reference": None}.items())), key="k")
    assert (again.status_code, again.json["data"]) == (201, first.json["data"])
    assert ("Idempotent-Replayed" in first.headers, again.headers["Idempotent-Replayed"]) == (False, "true")
    assert len(events()) == 2


def test_a_key_used_for_anything_else_is_refused(call: Call, path: str) -> None:
    call("POST", path, SALE, key="k")
    other_body = call("POST", path, {**SALE, "amount": 25}, key="k")
    other_path = call("POST", path.replace("transactions", "enrollments"), {"customer_id": 1042}, key="k")
    for reused in (other_body, other_path):
        assert (reused.status_code, reused.json["error"]["reason"]) == (400, "idempotency_key_reused")


def test_a_refused_request_leaves_its_key_free(call: Call, path: str) -> None:
    assert call("POST", path, {"customer_id": 1042, "points": -5}, key="k").status_code == 400
    assert call("POST", path, {"customer_id": 1042, "points": 5}, key="k").status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\tinside"])
def test_a_key_must_be_printable_and_short(call: Call, path: str, key: str) -> None:
    refused = call("POST", path, SALE, key=key)
    assert (refused.status_code, list(refused.json["error"]["details"])) == (400, ["Idempotency-Key"])


def test_without_a_clients_key_the_gateways_own_counts_but_does_not_show(call: Call, path: str) -> None:
    sale = {**SALE, "reference": None}
    attempts = [call("POST", path, sale, headers={"X-Loyalty-Request-Key": "3f1c"}) for _ in range(2)]
    assert attempts[0].json["data"] == attempts[1].json["data"]
    assert "Idempotent-Replayed" not in attempts[1].headers
    # A client cannot take the place of the gateway's key by sending the same text as its own.
    assert call("POST", path, sale, key="3f1c").json["data"]["id"] != attempts[0].json["data"]["id"]


def test_the_same_purchase_earns_once_whatever_the_key(
    call: Call, path: str, events: Callable[[], Any], books_balance: Callable[[], None]
) -> None:
    first = call("POST", path, SALE, key="till-1")
    again = call("POST", path, {**SALE, "notes": "sent again", "amount": "24.5"}, key="till-2")
    assert (again.status_code, again.json["data"]) == (200, first.json["data"])
    assert again.json["meta"]["duplicate"] is True
    assert "duplicate" not in first.json["meta"]
    assert len(events()) == 2
    books_balance()


@pytest.mark.parametrize(
    "other",
    [{"amount": 24.51}, {"customer_id": 1050}, {"amount": None, "currency": None, "points": 2}],
)
def test_a_reference_for_another_customer_or_amount_is_refused(
    call: Call, path: str, knows: Callable[..., int], other: dict[str, Any]
) -> None:
    knows(1050, "sam@example.com")
    call("POST", path, SALE)
    refused = call("POST", path, {**SALE, **other})
    assert (refused.status_code, refused.json["error"]["reason"]) == (400, "duplicate_reference")
    assert list(refused.json["error"]["details"]) == ["reference"]


def test_an_adjustment_is_repeated_by_its_points(call: Call, path: str) -> None:
    adjustment = {"customer_id": 1042, "points": 7, "reference": "ADJ-1"}
    first = call("POST", path, adjustment).json["data"]
    again = call("POST", path, adjustment)
    assert (again.status_code, again.json["data"]) == (200, first)
    assert call("POST", path, {**adjustment, "points": 8}).json["error"]["reason"] == "duplicate_reference"


def test_a_repetition_is_answered_even_when_the_card_would_refuse_it_now(
    call: Call, path: str, engine: Engine, tenant_id: int
) -> None:
    first = call("POST", path, SALE).json["data"]
    with engine.begin() as connection:
        connection.exec_driver_sql("update loyalty_cards set is_active = false where tenant_id = %s", (tenant_id,))
    assert call("POST", path, SALE).json["data"] == first


def test_the_same_reference_on_another_card_or_stamp_card_is_another(
    call: Call, path: str, insider: Callable[..., int], coffee_club: Callable[..., int]
) -> None:
    call("POST", path, SALE)
    assert call("POST", f"/loyalty-cards/{insider(auto_enroll=True)}/transactions", SALE).status_code == 201
    assert call("POST", f"/stamp-cards/{coffee_club()}/stamps", SALE).status_code == 201


def test_purchases_without_a_reference_are_never_the_same(call: Call, path: str) -> None:
    nameless = {**SALE, "reference": "  "}
    assert [call("POST", path, nameless).status_code for _ in range(2)] == [201, 201]
