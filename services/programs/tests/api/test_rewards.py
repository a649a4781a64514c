"""Merchants say what points can be spent on."""

from collections.abc import Callable
from typing import Any

import pytest

Call = Callable[..., Any]
Insider = Callable[..., int]
PASTRY = {"title": "Free pastry", "points_cost": 20, "quantity": 100}


@pytest.fixture
def path(insider: Insider) -> str:
    return f"/loyalty-cards/{insider()}/rewards"


@pytest.fixture
def pastry(call: Call, path: str) -> dict[str, Any]:
    reward: dict[str, Any] = call("POST", path, PASTRY).json["data"]
    return reward


def test_a_reward_looks_the_same_wherever_it_is_shown(call: Call, path: str) -> None:
    response = call("POST", path, PASTRY)
    reward = response.json["data"]
    assert response.status_code == 201
    assert reward == {
        "id": reward["id"],
        "loyalty_card_id": int(path.split("/")[2]),
        "title": "Free pastry",
        "description": None,
        "points_cost": 20,
        "quantity": 100,
        "quantity_left": 100,
        "max_claims_per_customer": None,
        "valid_from": None,
        "valid_until": None,
        "is_active": True,
        "created_at": reward["created_at"],
        "updated_at": reward["created_at"],
    }
    assert call("GET", f"{path}/{reward['id']}").json["data"] == reward
    assert call("GET", path).json["data"] == [reward]


def test_what_is_not_limited_has_nothing_left_to_count(call: Call, path: str) -> None:
    reward = call("POST", path, {"title": "Wave", "points_cost": 1}).json["data"]
    assert (reward["quantity"], reward["quantity_left"]) == (None, None)


def test_every_setting_can_be_changed_and_the_others_stay(call: Call, path: str, pastry: dict[str, Any]) -> None:
    changes = {
        "title": "Free cake",
        "description": "Any\nslice",
        "points_cost": 30,
        "quantity": 5,
        "max_claims_per_customer": 2,
        "valid_from": "2026-05-01",
        "valid_until": "2026-05-31",
        "is_active": False,
    }
    one = f"{path}/{pastry['id']}"
    for name, value in changes.items():
        changed = call("PATCH", one, {name: value})
        assert (changed.status_code, changed.json["data"][name]) == (200, value), changed.text
    after = call("GET", one).json["data"]
    assert after == {**pastry, **changes, "quantity_left": 5, "updated_at": after["updated_at"]}
    unlimited = call("PATCH", one, dict.fromkeys(("quantity", "description", "valid_until", "is_active"))).json["data"]
    assert (unlimited["quantity"], unlimited["quantity_left"], unlimited["is_active"]) == (None, None, True)


def test_a_change_that_changes_nothing_leaves_the_reward_untouched(
    call: Call, path: str, pastry: dict[str, Any], rows: Callable[[str], Any]
) -> None:
    query = "select version, updated_at from loyalty_rewards where tenant_id = :tenant_id"
    before = rows(query)
    for changes in ({}, PASTRY, {"description": None}):
        assert call("PATCH", f"{path}/{pastry['id']}", changes).json["data"] == pastry
    assert rows(query) == before


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": None}, "title"),
        ({"title": " "}, "title"),
        ({"title": "x" * 256}, "title"),
        ({"points_cost": None}, "points_cost"),
        ({"points_cost": 0}, "points_cost"),
        ({"points_cost": -5}, "points_cost"),
        ({"points_cost": 1.5}, "points_cost"),
        ({"points_cost": 1_000_000_001}, "points_cost"),
        ({"quantity": -1}, "quantity"),
        ({"max_claims_per_customer": 0}, "max_claims_per_customer"),
        ({"valid_from": "2026-06-01", "valid_until": "2026-05-31"}, "valid_until"),
        ({"valid_from": "soon"}, "valid_from"),
        ({"is_active": "yes"}, "is_active"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_under_its_name(
    call: Call, path: str, pastry: dict[str, Any], change: dict[str, Any], field: str
) -> None:
    for response in (call("POST", path, {**PASTRY, **change}), call("PATCH", f"{path}/{pastry['id']}", change)):
        assert (response.status_code, list(response.json["error"]["details"])) == (400, [field])
    assert call("GET", path).json["data"] == [pastry]


def test_a_window_is_judged_with_the_end_that_stands(call: Call, path: str, pastry: dict[str, Any]) -> None:
    one = f"{path}/{pastry['id']}"
    call("PATCH", one, {"valid_until": "2026-05-31"})
    refused = call("PATCH", one, {"valid_from": "2026-06-01"})
    assert (refused.status_code, list(refused.json["error"]["details"])) == (400, ["valid_until"])


def test_rewards_are_listed_newest_first_and_by_whether_they_are_active(call: Call, path: str) -> None:
    ids = [call("POST", path, {**PASTRY, "is_active": number != 1}).json["data"]["id"] for number in range(3)]
    for query, expected in (
        ("?", ids[::-1]),
        ("?is_active=true", [ids[2], ids[0]]),
        ("?is_active=false", [ids[1]]),
        ("?per_page=2&page=2", [ids[0]]),
    ):
        assert [reward["id"] for reward in call("GET", path + query).json["data"]] == expected
    first = call("GET", f"{path}?per_page=2&cursor=").json
    rest = call("GET", first["links"]["next"].removeprefix("https://loyalty.test/api/v1")).json
    assert [reward["id"] for reward in first["data"] + rest["data"]] == ids[::-1]
    assert call("GET", f"{path}?is_active=maybe").status_code == 400


def test_a_reward_is_created_and_changed_once_per_key(call: Call, path: str) -> None:
    first = call("POST", path, PASTRY, key="k").json["data"]
    assert call("POST", path, PASTRY, key="k").json["data"] == first
    assert call("GET", path).json["meta"]["total"] == 1
    changed = call("PATCH", f"{path}/{first['id']}", {"title": "Cake"}, key="p").json["data"]
    call("PATCH", f"{path}/{first['id']}", {"title": "Pie"})
    assert call("PATCH", f"{path}/{first['id']}", {"title": "Cake"}, key="p").json["data"] == changed
    assert call("GET", f"{path}/{first['id']}").json["data"]["title"] == "Pie"


def test_a_reward_is_found_on_its_own_card_and_tenant_only(
    call: Call, path: str, pastry: dict[str, Any], insider: Insider, tenant_id: int
) -> None:
    one, elsewhere = f"{path}/{pastry['id']}", f"/loyalty-cards/{insider()}/rewards/{pastry['id']}"
    for place, tenant in ((elsewhere, 0), (one, tenant_id + 1_000_000), (f"{path}/999999", 0)):
        for method, sent in (("GET", None), ("PATCH", {"title": "Mine"}), ("PATCH", {"title": None})):
            assert call(method, place, sent, tenant=tenant).status_code == 404, (method, place)
    for place, tenant in (("/loyalty-cards/999999/rewards", 0), (path, tenant_id + 1_000_000)):
        for method, sent in (("GET", None), ("POST", PASTRY), ("POST", {})):
            assert call(method, place, sent, tenant=tenant).status_code == 404, (method, place)
    assert call("GET", one).json["data"] == pastry
