from collections.abc import Callable
from typing import Any

import pytest

Call = Callable[..., Any]
Club = Callable[..., int]
LATTE = {"customer_id": 1042, "reference": "POS-88422", "amount": 5.50, "currency": "USD", "notes": "Latte purchase"}


def deltas(response: Any) -> list[tuple[str, int, int]]:
    assert response.status_code in (200, 201), response.text
    return [(row["type"], row["stamps_delta"], row["stamps_balance_after"]) for row in response.json["data"]]


def test_a_new_stamp_card_is_answered_as_the_reference_shows(call: Call) -> None:
    club = {
        "name": "Coffee Club",
        "partner_location_id": 2,
        "valid_from": "2026-01-01",
        "valid_until": "2026-12-31",
        "stamps_required_for_reward": 10,
        "stamps_per_purchase": 1,
        "reward_title": "Free coffee",
        "is_active": True,
    }
    response = call("POST", "/stamp-cards", club)
    card = response.json["data"]
    stamps = {"id": card["id"], "created_at": card["created_at"], "updated_at": card["created_at"]}
    assert (response.status_code, card) == (201, club | stamps)
    assert call("GET", f"/stamp-cards/{card['id']}").json["data"] == card
    assert call("GET", "/stamp-cards").json["data"] == [card]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": None}, "name"),
        ({"partner_location_id": None}, "partner_location_id"),
        ({"stamps_required_for_reward": None}, "stamps_required_for_reward"),
        ({"stamps_required_for_reward": 0}, "stamps_required_for_reward"),
        ({"stamps_required_for_reward": 1001}, "stamps_required_for_reward"),
        ({"stamps_per_purchase": 101}, "stamps_per_purchase"),
        ({"valid_from": "2026-02-01", "valid_until": "2026-01-31"}, "valid_until"),
    ],
)
def test_a_stamp_card_that_cannot_be_is_refused(call: Call, change: dict[str, Any], field: str) -> None:
    card = {"name": "Coffee Club", "partner_location_id": 2, "stamps_required_for_reward": 10, **change}
    response = call("POST", "/stamp-cards", card)
    assert (response.status_code, list(response.json["error"]["details"])) == (400, [field])


def test_the_first_stamp_joins_the_customer_as_the_reference_shows(call: Call, alex: int, coffee_club: Club) -> None:
    club = coffee_club()
    response = call("POST", f"/stamp-cards/{club}/stamps", LATTE)
    [row] = response.json["data"]
    assert response.status_code == 201
    assert row == {
        "id": row["id"],
        "type": "earn",
        "customer_id": alex,
        "stamp_card_id": club,
        "stamps_delta": 1,
        "stamps_balance_after": 1,
        "purchase_reference": "POS-88422",
        "occurred_at": row["recorded_at"],
        "recorded_at": row["recorded_at"],
        "quantity": 1,
        "amount": "5.50",
        "currency": "USD",
        "partner_location_id": None,
        "notes": "Latte purchase",
        "source": "api",
        "stamp_reward_id": None,
        "reverses_stamp_id": None,
    }


def test_overshoot_unlocks_the_reward_and_keeps_the_rest(
    call: Call, alex: int, coffee_club: Club, rows: Callable[[str], Any]
) -> None:
    path = f"/stamp-cards/{coffee_club()}/stamps"
    call("POST", path, {"customer_id": alex, "quantity": 9})
    reply = call("POST", path, {"customer_id": alex, "quantity": 3, "reference": "POS-1", "partner_location_id": 2})
    assert deltas(reply) == [("earn", 3, 12), ("reward", -10, 2)]
    earn, reward = reply.json["data"]
    assert reward["id"] > earn["id"]
    assert (reward["purchase_reference"], reward["partner_location_id"]) == ("POS-1", 2)
    assert reward["quantity"] is reward["amount"] is reward["notes"] is None
    [stored] = rows("select id, title, status from stamp_rewards where tenant_id = :tenant_id")
    assert (stored.id, stored.title, stored.status) == (reward["stamp_reward_id"], "Free coffee", "unlocked")


def test_twenty_five_stamps_at_once_are_two_rewards(call: Call, alex: int, coffee_club: Club) -> None:
    path = f"/stamp-cards/{coffee_club(stamps_per_purchase=5)}/stamps"
    reply = call("POST", path, {"customer_id": alex, "quantity": 5})
    assert deltas(reply) == [("earn", 25, 25), ("reward", -10, 15), ("reward", -10, 5)]


def test_every_request_is_published_once_with_all_its_rows(
    call: Call, alex: int, coffee_club: Club, events: Callable[[], Any]
) -> None:
    path = f"/stamp-cards/{coffee_club()}/stamps"
    rows = call("POST", path, {"customer_id": alex, "quantity": 25}).json["data"]
    [(name, data)] = events()
    assert name == "stamp.issued"
    assert (data["id"], data["stamps_delta"], data["stamps_balance_after"]) == (rows[0]["id"], 25, 5)
    assert (data["stamps"], data["stamps_required_for_reward"]) == (rows, 10)
    unlocked = [(reward["id"], reward["status"], reward["title"]) for reward in data["rewards_unlocked"]]
    assert unlocked == [(row["stamp_reward_id"], "unlocked", "Free coffee") for row in rows[1:]]
    assert data["customer"]["email"] == "alex@example.com"


def test_the_same_receipt_stamps_once_and_answers_all_its_rows(
    call: Call, alex: int, coffee_club: Club, events: Callable[[], Any]
) -> None:
    path = f"/stamp-cards/{coffee_club()}/stamps"
    first = call("POST", path, {**LATTE, "quantity": 12})
    again = call("POST", path, {**LATTE, "quantity": 12, "notes": None})
    assert (again.status_code, again.json["data"]) == (200, first.json["data"])
    assert again.json["meta"]["duplicate"] is True
    assert len(events()) == 1


@pytest.mark.parametrize(
    "other", [{"customer_id": 1050}, {"quantity": 2}, {"amount": 6}, {"amount": None, "currency": None}]
)
def test_a_receipt_of_someone_or_something_else_is_refused(
    call: Call, alex: int, coffee_club: Club, knows: Callable[..., int], other: dict[str, Any]
) -> None:
    knows(1050, "sam@example.com")
    path = f"/stamp-cards/{coffee_club()}/stamps"
    call("POST", path, LATTE)
    refused = call("POST", path, {**LATTE, **other})
    assert (refused.status_code, refused.json["error"]["reason"]) == (400, "duplicate_reference")


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"is_active": False}, "stamp_card_inactive"),
        ({"valid_from": "2999-01-01"}, "stamp_card_not_yet_valid"),
        ({"valid_until": "2020-12-31"}, "stamp_card_expired"),
    ],
)
def test_outside_its_window_a_stamp_card_takes_no_stamps(
    call: Call, alex: int, coffee_club: Club, terms: dict[str, Any], reason: str
) -> None:
    refused = call("POST", f"/stamp-cards/{coffee_club(**terms)}/stamps", LATTE)
    assert (refused.status_code, refused.json["error"]["reason"]) == (400, reason)


@pytest.mark.parametrize(
    ("sent", "field"), [({"quantity": 0}, "quantity"), ({"quantity": 101}, "quantity"), ({"amount": 5}, "currency")]
)
def test_what_is_wrong_is_said_under_its_field(
    call: Call, alex: int, coffee_club: Club, sent: dict[str, Any], field: str
) -> None:
    refused = call("POST", f"/stamp-cards/{coffee_club()}/stamps", {"customer_id": alex, **sent})
    assert (refused.status_code, list(refused.json["error"]["details"])) == (400, [field])
