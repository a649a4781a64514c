from collections.abc import Callable
from typing import Any

import pytest

Call = Callable[..., Any]
INSIDER = {
    "name": "Insider Points",
    "partner_location_id": 2,
    "date_issued": "2026-05-16",
    "earn_spend_amount": 10,
    "earn_points": 1,
    "earn_currency": "USD",
    "initial_bonus_points": 50,
    "is_active": True,
}


def test_a_new_card_is_answered_as_the_reference_shows(call: Call) -> None:
    response = call("POST", "/loyalty-cards", INSIDER)
    assert response.status_code == 201
    card = response.json["data"]
    identifier = card["card_identifier"]
    assert [len(part) for part in identifier.split("-")] == [3, 3, 3, 3]
    assert identifier.replace("-", "").isdigit()
    assert card == {
        "id": card["id"],
        "name": "Insider Points",
        "card_identifier": identifier,
        "is_active": True,
        "earn_spend_amount": "10.00",
        "earn_points": 1,
        "earn_currency": "USD",
        "initial_bonus_points": 50,
        "expiry_date": None,
        "date_issued": "2026-05-16",
        "partner_location_id": 2,
        "auto_enroll": False,
        "points_expire_after_months": None,
        "refund_floor": "negative",
        "created_at": card["created_at"],
        "updated_at": card["created_at"],
    }
    assert call("GET", f"/loyalty-cards/{card['id']}").json["data"] == card
    assert call("GET", "/loyalty-cards").json["data"] == [card]


def test_every_setting_that_is_sent_comes_back(call: Call) -> None:
    settings = {
        "card_identifier": "RIVERSIDE-INSIDER",
        "expiry_date": "2027-12-31",
        "auto_enroll": True,
        "points_expire_after_months": 12,
        "refund_floor": "zero",
        "is_active": False,
    }
    card = call("POST", "/loyalty-cards", {**INSIDER, **settings}).json["data"]
    assert card | settings == card


def test_a_card_may_have_no_earn_rule_and_takes_the_organizations_currency(call: Call) -> None:
    card = call("POST", "/loyalty-cards", {"name": "Plain", "partner_location_id": 2}).json["data"]
    assert (card["earn_spend_amount"], card["earn_points"], card["earn_currency"]) == (None, None, "USD")
    assert (card["initial_bonus_points"], card["is_active"]) == (0, True)
    assert card["date_issued"] is not None


def test_a_fine_currency_keeps_its_digits(call: Call) -> None:
    kuwait = {**INSIDER, "earn_spend_amount": "1.234", "earn_currency": "kwd"}
    card = call("POST", "/loyalty-cards", kuwait).json["data"]
    assert (card["earn_spend_amount"], card["earn_currency"]) == ("1.234", "KWD")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": None}, "name"),
        ({"name": "   "}, "name"),
        ({"partner_location_id": None}, "partner_location_id"),
        ({"earn_points": None}, "earn_points"),
        ({"earn_spend_amount": None}, "earn_spend_amount"),
        ({"earn_spend_amount": 0}, "earn_spend_amount"),
        ({"earn_spend_amount": -10}, "earn_spend_amount"),
        ({"earn_spend_amount": "9.999"}, "earn_spend_amount"),
        ({"earn_spend_amount": "10.5", "earn_currency": "JPY"}, "earn_spend_amount"),
        ({"earn_points": 10_001}, "earn_points"),
        ({"earn_points": 1.5}, "earn_points"),
        ({"earn_currency": "XXQ"}, "earn_currency"),
        ({"initial_bonus_points": -1}, "initial_bonus_points"),
        ({"initial_bonus_points": 1_000_001}, "initial_bonus_points"),
        ({"card_identifier": "no spaces"}, "card_identifier"),
        ({"card_identifier": "x" * 65}, "card_identifier"),
        ({"expiry_date": "2026-05-15"}, "expiry_date"),
        ({"expiry_date": "2026-02-30"}, "expiry_date"),
        ({"is_active": "yes"}, "is_active"),
        ({"refund_floor": "below"}, "refund_floor"),
        ({"points_expire_after_months": 0}, "points_expire_after_months"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_under_its_name(call: Call, change: dict[str, Any], field: str) -> None:
    response = call("POST", "/loyalty-cards", {**INSIDER, **change})
    assert response.status_code == 400
    assert list(response.json["error"]["details"]) == [field]
    assert call("GET", "/loyalty-cards").json["meta"]["total"] == 0


def test_an_identifier_belongs_to_one_card_whatever_its_case(call: Call) -> None:
    assert call("POST", "/loyalty-cards", {**INSIDER, "card_identifier": "Riverside"}).status_code == 201
    taken = call("POST", "/loyalty-cards", {**INSIDER, "card_identifier": "RIVERSIDE"})
    assert (taken.status_code, list(taken.json["error"]["details"])) == (400, ["card_identifier"])


def test_two_organizations_may_use_one_identifier(call: Call, tenant_id: int) -> None:
    card = {**INSIDER, "card_identifier": "VIP"}
    assert call("POST", "/loyalty-cards", card).status_code == 201
    # The other organization has no location 2, but gets as far as being told so.
    elsewhere = call("POST", "/loyalty-cards", card, tenant=tenant_id + 1_000_000)
    assert elsewhere.status_code == 503


def test_a_card_is_seen_by_its_own_tenant_only(call: Call, insider: Callable[..., int], tenant_id: int) -> None:
    card = insider()
    for path in (f"/loyalty-cards/{card}", f"/loyalty-cards/{card}/transactions"):
        elsewhere = call("GET", path, tenant=tenant_id + 1_000_000)
        assert (elsewhere.status_code, elsewhere.json["error"]["code"]) == (404, "not_found")
    assert call("GET", "/loyalty-cards", tenant=tenant_id + 1_000_000).json["meta"]["total"] == 0


def test_cards_are_listed_newest_first_by_page_and_by_cursor(call: Call, insider: Callable[..., int]) -> None:
    cards = [insider(name=f"Card {number}") for number in range(5)][::-1]
    assert [card["id"] for card in call("GET", "/loyalty-cards?per_page=3&page=2").json["data"]] == cards[3:]
    first = call("GET", "/loyalty-cards?per_page=3&cursor=").json
    assert [card["id"] for card in first["data"]] == cards[:3]
    rest = first["links"]["next"].removeprefix("https://loyalty.test/api/v1")
    assert [card["id"] for card in call("GET", rest).json["data"]] == cards[3:]


def test_a_card_is_created_once_per_key(call: Call) -> None:
    first = call("POST", "/loyalty-cards", INSIDER, key="card-1")
    again = call("POST", "/loyalty-cards", {**INSIDER, "earn_spend_amount": 10.0}, key="card-1")
    assert (again.status_code, again.json["data"]) == (201, first.json["data"])
    assert again.headers["Idempotent-Replayed"] == "true"
    assert call("GET", "/loyalty-cards").json["meta"]["total"] == 1
