"""Why a reward is not to be had: the card, the member, the reward, the points, or what was sent."""

from collections.abc import Callable
from typing import Any

import pytest

Call = Callable[..., Any]
Events = Callable[[], list[tuple[str, Any]]]
Books = Callable[[], None]
ALEX = {"customer_id": 1042}


@pytest.fixture
def card(call: Call, alex: int, insider: Callable[..., int]) -> int:
    """Where Alex has 50 points."""
    card = insider()
    call("POST", f"/loyalty-cards/{card}/enrollments", {"customer_id": alex})
    return card


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"is_active": False}, "reward_inactive"),
        ({"valid_from": "2999-01-01"}, "reward_not_yet_valid"),
        ({"valid_until": "2020-01-01"}, "reward_expired"),
        ({"quantity": 0}, "reward_out_of_stock"),
        ({"points_cost": 51}, "insufficient_points"),
    ],
)
def test_a_reward_that_cannot_be_had_is_refused_and_nothing_moves(
    call: Call, reward: Callable[..., str], events: Events, books_balance: Books, terms: dict[str, Any], reason: str
) -> None:
    pastry, told = reward(**terms), len(events())
    before = call("GET", pastry).json["data"]
    refused = call("POST", f"{pastry}/claim", ALEX)
    error = refused.json["error"]
    assert (refused.status_code, error["reason"], error["details"]) == (400, reason, {})
    assert (call("GET", pastry).json["data"], len(events())) == (before, told)
    books_balance()


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"is_active": False}, "card_inactive"),
        ({"date_issued": "2999-01-01"}, "card_not_yet_valid"),
        ({"date_issued": "2020-01-01", "expiry_date": "2020-12-31"}, "card_expired"),
    ],
)
def test_a_card_that_is_not_valid_gives_no_reward(
    call: Call, card: int, reward: Callable[..., str], terms: dict[str, Any], reason: str
) -> None:
    pastry = reward()
    call("PATCH", f"/loyalty-cards/{card}", terms)
    assert call("POST", f"{pastry}/claim", ALEX).json["error"]["reason"] == reason


def test_only_members_who_are_not_suspended_claim(
    call: Call, card: int, reward: Callable[..., str], knows: Callable[..., int]
) -> None:
    pastry = reward()
    sam = {"customer_id": knows(1050, "sam@example.com")}
    assert call("POST", f"{pastry}/claim", sam).json["error"]["reason"] == "customer_not_enrolled"
    [member] = call("GET", f"/loyalty-cards/{card}/enrollments").json["data"]
    call("PATCH", f"/loyalty-cards/{card}/enrollments/{member['id']}", {"status": "suspended"})
    assert call("POST", f"{pastry}/claim", ALEX).json["error"]["reason"] == "enrollment_suspended"


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "customer_id"),
        ({"customer_id": "Alex"}, "customer_id"),
        ({"customer_id": 1042, "notes": 5}, "notes"),
        ({"customer_id": 1042, "notes": "x" * 1001}, "notes"),
        ({"customer_id": 1042, "partner_location_id": 0}, "partner_location_id"),
    ],
)
def test_a_claim_that_makes_no_sense_is_refused_under_its_field(
    call: Call, reward: Callable[..., str], sent: dict[str, Any], field: str
) -> None:
    refused = call("POST", f"{reward()}/claim", sent)
    assert (refused.status_code, list(refused.json["error"]["details"])) == (400, [field])
