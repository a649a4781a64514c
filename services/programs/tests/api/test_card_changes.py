"""A merchant changes a loyalty card; what is left out stays as it is."""

from collections.abc import Callable
from typing import Any

import pytest

Call = Callable[..., Any]
Insider = Callable[..., int]


@pytest.fixture
def card(insider: Insider) -> int:
    return insider(card_identifier="RIVERSIDE", date_issued="2026-05-16", expiry_date="2027-12-31")


def test_every_setting_can_be_changed_and_the_others_stay(
    call: Call, card: int, events: Callable[[], list[Any]]
) -> None:
    before = call("GET", f"/loyalty-cards/{card}").json["data"]
    changes = {
        "name": "Outsider Points",
        "card_identifier": "LAKESIDE",
        "is_active": False,
        "earn_spend_amount": "5.00",
        "earn_points": 3,
        "earn_currency": "EUR",
        "initial_bonus_points": 7,
        "date_issued": "2026-06-01",
        "expiry_date": "2026-06-30",
        "auto_enroll": True,
        "points_expire_after_months": 12,
        "refund_floor": "zero",
    }
    for name, value in changes.items():
        changed = call("PATCH", f"/loyalty-cards/{card}", {name: value})
        assert (changed.status_code, changed.json["data"][name]) == (200, value), changed.text
    after = call("GET", f"/loyalty-cards/{card}").json["data"]
    assert after == {**before, **changes, "updated_at": after["updated_at"]}
    assert changed.json["data"] == after
    assert events() == []


def test_a_change_that_changes_nothing_leaves_the_card_untouched(
    call: Call, card: int, rows: Callable[[str], list[Any]]
) -> None:
    query = "select version, updated_at from loyalty_cards where tenant_id = :tenant_id"
    [before], shown = rows(query), call("GET", f"/loyalty-cards/{card}").json["data"]
    for changes in ({}, {"name": shown["name"], "earn_spend_amount": 10, "card_identifier": "RIVERSIDE"}):
        assert call("PATCH", f"/loyalty-cards/{card}", changes).json["data"] == shown
    assert rows(query) == [before]
    call("PATCH", f"/loyalty-cards/{card}", {"name": "Other"})
    [after] = rows(query)
    assert after.version == before.version + 1
    assert after.updated_at > before.updated_at


def test_null_means_the_default(call: Call, card: int) -> None:
    nothing = dict.fromkeys(("expiry_date", "earn_spend_amount", "earn_points", "initial_bonus_points"))
    call("PATCH", f"/loyalty-cards/{card}", {"earn_currency": "EUR", "refund_floor": "zero"})
    changed = call("PATCH", f"/loyalty-cards/{card}", {**nothing, "earn_currency": None, "refund_floor": None})
    expected = {**nothing, "initial_bonus_points": 0, "earn_currency": "USD", "refund_floor": "negative"}
    assert changed.json["data"] | expected == changed.json["data"]
    code = call("PATCH", f"/loyalty-cards/{card}", {"card_identifier": None}).json["data"]["card_identifier"]
    assert code.replace("-", "").isdigit()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": None}, "name"),
        ({"partner_location_id": None}, "partner_location_id"),
        ({"earn_points": None}, "earn_points"),
        ({"earn_spend_amount": None}, "earn_spend_amount"),
        ({"earn_currency": "JPY", "earn_spend_amount": "10.50"}, "earn_spend_amount"),
        ({"earn_spend_amount": "1.234"}, "earn_spend_amount"),
        ({"expiry_date": "2026-05-15"}, "expiry_date"),
        ({"date_issued": "2028-01-01"}, "expiry_date"),
        ({"card_identifier": "lakeside"}, "card_identifier"),
        ({"initial_bonus_points": -1}, "initial_bonus_points"),
        ({"is_active": "no"}, "is_active"),
    ],
)
def test_the_changed_card_is_judged_as_a_whole(
    call: Call, card: int, insider: Insider, changes: dict[str, Any], field: str
) -> None:
    insider(card_identifier="Lakeside")
    before = call("GET", f"/loyalty-cards/{card}").json["data"]
    refused = call("PATCH", f"/loyalty-cards/{card}", changes)
    assert (refused.status_code, list(refused.json["error"]["details"])) == (400, [field])
    assert call("GET", f"/loyalty-cards/{card}").json["data"] == before


def test_a_currency_alone_is_judged_with_the_amount_that_stands(call: Call, insider: Insider) -> None:
    card = insider(earn_spend_amount="10.50")
    refused = call("PATCH", f"/loyalty-cards/{card}", {"earn_currency": "JPY"})
    assert (refused.status_code, list(refused.json["error"]["details"])) == (400, ["earn_spend_amount"])


def test_a_card_may_change_the_case_of_its_own_identifier(call: Call, card: int) -> None:
    changed = call("PATCH", f"/loyalty-cards/{card}", {"card_identifier": "Riverside"})
    assert (changed.status_code, changed.json["data"]["card_identifier"]) == (200, "Riverside")


def test_purchases_follow_the_rule_as_it_is_when_they_come(call: Call, card: int, alex: int) -> None:
    path, sale = f"/loyalty-cards/{card}/transactions", {"customer_id": alex, "amount": 24.50, "currency": "USD"}
    call("PATCH", f"/loyalty-cards/{card}", {"auto_enroll": True, "initial_bonus_points": 0})
    assert call("POST", path, sale).json["data"]["points_delta"] == 2
    call("PATCH", f"/loyalty-cards/{card}", {"earn_points": 10})
    assert call("POST", path, sale).json["data"]["points_delta"] == 20
    call("PATCH", f"/loyalty-cards/{card}", {"is_active": False})
    assert call("POST", path, sale).json["error"]["reason"] == "card_inactive"


def test_a_change_is_made_once_per_key(call: Call, card: int) -> None:
    first = call("PATCH", f"/loyalty-cards/{card}", {"name": "One"}, key="k")
    call("PATCH", f"/loyalty-cards/{card}", {"name": "Two"})
    again = call("PATCH", f"/loyalty-cards/{card}", {"name": "One"}, key="k")
    assert again.json["data"] == first.json["data"]
    assert call("GET", f"/loyalty-cards/{card}").json["data"]["name"] == "Two"


def test_a_card_of_nobody_or_of_another_tenant_is_not_found(call: Call, card: int, tenant_id: int) -> None:
    for changes in ({"name": "Mine"}, {"name": None}):
        assert call("PATCH", "/loyalty-cards/999999", changes).status_code == 404
        assert call("PATCH", f"/loyalty-cards/{card}", changes, tenant=tenant_id + 1_000_000).status_code == 404
    assert call("GET", f"/loyalty-cards/{card}").json["data"]["name"] == "Insider Points"
