from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

Call = Callable[..., Any]
Club = Callable[..., int]


@pytest.fixture
def path(alex: int, coffee_club: Club) -> str:
    return f"/stamp-cards/{coffee_club()}"


@pytest.fixture
def reward(call: Call, path: str, alex: int) -> int:
    """A free coffee that Alex has earned."""
    rows = call("POST", f"{path}/stamps", {"customer_id": alex, "quantity": 10}).json["data"]
    return int(rows[1]["stamp_reward_id"])


def test_a_reward_is_handed_out_as_the_contract_shows(
    call: Call, path: str, reward: int, alex: int, events: Callable[[], Any]
) -> None:
    [unlocked] = call("GET", f"{path}/rewards").json["data"]
    sent = {"order_reference": "POS-88440", "partner_location_id": 2, "notes": "Large"}
    answer = call("POST", f"{path}/rewards/{reward}/fulfill", sent)
    data = answer.json["data"]
    assert (answer.status_code, data) == (
        200,
        {**unlocked, **sent, "status": "fulfilled", "fulfilled_at": data["fulfilled_at"]},
    )
    assert data["fulfilled_at"] is not None
    assert list(data) == [
        "id",
        "stamp_card_id",
        "customer_id",
        "title",
        "status",
        "order_reference",
        "partner_location_id",
        "notes",
        "unlocked_at",
        "fulfilled_at",
        "revoked_at",
        "created_at",
    ]
    assert call("GET", f"{path}/rewards").json["data"] == [data]
    name, told = events()[-1]
    assert name == "stamp.reward_fulfilled"
    assert told == {**data, "customer": told["customer"], "source": "api"}
    assert told["customer"]["id"] == alex


def test_a_reward_can_be_handed_out_without_a_word(call: Call, path: str, reward: int) -> None:
    answer = call("POST", f"{path}/rewards/{reward}/fulfill")
    assert (answer.status_code, answer.json["data"]["status"]) == (200, "fulfilled")
    again = call("POST", f"{path}/rewards/{reward}/fulfill")
    assert (again.status_code, again.json["error"]["reason"]) == (400, "reward_already_fulfilled")


def test_the_same_order_is_told_what_it_was_told_first(
    call: Call, path: str, reward: int, events: Callable[[], Any]
) -> None:
    fulfill = f"{path}/rewards/{reward}/fulfill"
    first = call("POST", fulfill, {"order_reference": "POS-1", "notes": "Large"})
    again = call("POST", fulfill, {"order_reference": "POS-1", "partner_location_id": 999})
    assert (again.status_code, again.json["data"]) == (200, first.json["data"])
    assert again.json["meta"]["duplicate"] is True
    for other in ({"order_reference": "POS-2"}, {}):
        refused = call("POST", fulfill, other)
        assert (refused.status_code, refused.json["error"]["reason"]) == (400, "reward_already_fulfilled")
    assert [name for name, _ in events()] == ["stamp.issued", "stamp.reward_fulfilled"]


def test_a_revoked_reward_is_not_handed_out(call: Call, path: str, reward: int) -> None:
    [_, earn] = call("GET", f"{path}/stamps").json["data"]
    assert call("POST", f"{path}/stamps/{earn['id']}/reverse").status_code == 201
    refused = call("POST", f"{path}/rewards/{reward}/fulfill", {"order_reference": "POS-1"})
    assert (refused.status_code, refused.json["error"]["reason"]) == (400, "reward_revoked")


@pytest.mark.parametrize("end", ["is_active = false", "valid_until = '2020-01-01'"])
def test_a_reward_outlives_its_card(
    call: Call, path: str, reward: int, engine: Engine, tenant_id: int, end: str
) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(f"update stamp_cards set {end} where tenant_id = %s", (tenant_id,))
    assert call("POST", f"{path}/rewards/{reward}/fulfill").status_code == 200


def test_a_reward_that_is_not_the_cards_or_not_ones_own_is_not_found(
    call: Call, path: str, reward: int, coffee_club: Club, tenant_id: int
) -> None:
    for wrong in (f"{path}/rewards/999999", f"/stamp-cards/{coffee_club()}/rewards/{reward}"):
        assert call("POST", f"{wrong}/fulfill").status_code == 404
        assert call("POST", f"{wrong}/fulfill", {"notes": 5}).status_code == 404
    assert call("POST", f"{path}/rewards/{reward}/fulfill", tenant=tenant_id + 100_000).status_code == 404
    assert call("POST", f"{path}/rewards/{reward}/fulfill", {"notes": 5}).status_code == 400


def test_rewards_are_listed_by_status_and_customer(
    call: Call, path: str, reward: int, knows: Callable[..., int]
) -> None:
    knows(1050, "sam@example.com")
    sams = call("POST", f"{path}/stamps", {"customer_id": 1050, "quantity": 10}).json["data"][1]["stamp_reward_id"]
    call("POST", f"{path}/rewards/{reward}/fulfill")

    def listed(query: str) -> list[int]:
        return [found["id"] for found in call("GET", f"{path}/rewards{query}").json["data"]]

    assert listed("") == listed("?cursor=") == [sams, reward]
    assert listed("?status=unlocked") == listed("?customer_email=sam@example.com") == [sams]
    assert listed("?status=fulfilled&customer_id=1042") == listed("?customer_id=1042&cursor=") == [reward]
    assert listed("?status=revoked") == listed("?customer_id=999") == []
    assert call("GET", f"{path}/rewards?status=eaten").status_code == 400
    assert call("GET", "/stamp-cards/999999/rewards").status_code == 404
