from collections.abc import Callable
from typing import Any

import pytest

Call = Callable[..., Any]
Club = Callable[..., int]


def test_what_is_left_out_stays_and_null_is_the_default(call: Call, coffee_club: Club) -> None:
    path = f"/stamp-cards/{coffee_club(valid_from='2026-01-01', stamps_per_purchase=2)}"
    before = call("GET", path).json["data"]
    changed = call("PATCH", path, {"name": "Tea Club", "reward_title": None, "valid_from": None, "is_active": False})
    assert changed.status_code == 200
    expected = {"name": "Tea Club", "reward_title": "Reward", "valid_from": None, "is_active": False}
    assert changed.json["data"] == {**before, **expected, "updated_at": changed.json["data"]["updated_at"]}
    assert call("GET", path).json["data"] == changed.json["data"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": None}, "name"),
        ({"stamps_required_for_reward": 0}, "stamps_required_for_reward"),
        ({"partner_location_id": None}, "partner_location_id"),
        ({"valid_from": "2026-02-01"}, "valid_until"),
        ({"valid_until": "2025-12-31"}, "valid_until"),
    ],
)
def test_a_change_is_judged_with_what_it_leaves(
    call: Call, coffee_club: Club, changes: dict[str, Any], field: str
) -> None:
    path = f"/stamp-cards/{coffee_club(valid_from='2026-01-01', valid_until='2026-01-31')}"
    before = call("GET", path).json["data"]
    refused = call("PATCH", path, changes)
    assert (refused.status_code, list(refused.json["error"]["details"])) == (400, [field])
    assert call("GET", path).json["data"] == before


def test_a_card_of_nobody_or_of_another_tenant_cannot_be_changed(call: Call, coffee_club: Club, tenant_id: int) -> None:
    path = f"/stamp-cards/{coffee_club()}"
    assert call("PATCH", "/stamp-cards/999999", {"name": "x"}).status_code == 404
    assert call("PATCH", path, {"name": "x"}, tenant=tenant_id + 100_000).status_code == 404
    assert call("PATCH", path, {"name": 5}, tenant=tenant_id + 100_000).status_code == 404


def test_a_change_repeated_by_its_key_is_answered_as_before(call: Call, coffee_club: Club) -> None:
    path = f"/stamp-cards/{coffee_club()}"
    first = call("PATCH", path, {"name": "Tea Club"}, key="k")
    call("PATCH", path, {"name": "Milk Club"})
    again = call("PATCH", path, {"name": "Tea Club"}, key="k")
    assert (again.status_code, again.json["data"]) == (200, first.json["data"])
    assert call("GET", path).json["data"]["name"] == "Milk Club"


def test_fewer_stamps_for_a_reward_count_with_the_next_stamp(call: Call, alex: int, coffee_club: Club) -> None:
    path = f"/stamp-cards/{coffee_club()}"
    call("POST", f"{path}/stamps", {"customer_id": alex, "quantity": 8})
    call("PATCH", path, {"stamps_required_for_reward": 5})
    progress = call("GET", f"{path}/progress?customer_id={alex}").json["data"]
    assert (progress["stamps_balance"], progress["stamps_missing"], progress["rewards_unlocked"]) == (8, 0, 0)
    rows = call("POST", f"{path}/stamps", {"customer_id": alex}).json["data"]
    assert [(row["stamps_delta"], row["stamps_balance_after"]) for row in rows] == [(1, 9), (-5, 4)]
