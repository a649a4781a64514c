"""Members claim rewards for points; merchants hand them over or take the claim back."""

import re
from collections.abc import Callable
from typing import Any

import pytest

Call = Callable[..., Any]
Events = Callable[[], list[tuple[str, Any]]]
Books = Callable[[], None]
ALEX = {"customer_id": 1042}
PERSON = {"id": 1042, "name": "Alex Rivera", "email": "alex@example.com", "phone": "+15551234567"}


@pytest.fixture
def card(call: Call, alex: int, insider: Callable[..., int]) -> int:
    """Where Alex has 50 points."""
    card = insider()
    call("POST", f"/loyalty-cards/{card}/enrollments", {"customer_id": alex})
    return card


@pytest.fixture
def claimed(call: Call, reward: Callable[..., str]) -> dict[str, Any]:
    """What the claim of a pastry answered."""
    answer: dict[str, Any] = call("POST", f"{reward()}/claim", ALEX).json["data"]
    return answer


def path_of(answer: dict[str, Any]) -> str:
    return f"/loyalty-cards/{answer['claim']['loyalty_card_id']}/claims/{answer['claim']['id']}"


def test_a_claim_is_answered_as_the_reference_shows(
    call: Call, card: int, reward: Callable[..., str], books_balance: Books
) -> None:
    pastry = reward()
    sent = {"customer_email": "alex@example.com", "partner_location_id": 2, "notes": "With cream"}
    response = call("POST", f"{pastry}/claim", sent)
    assert response.status_code == 201, response.text
    claim, transaction = response.json["data"]["claim"], response.json["data"]["transaction"]
    assert re.fullmatch(r"CLM-[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}", claim["claim_code"])
    assert claim == {
        "id": claim["id"],
        "loyalty_reward_id": int(pastry.rsplit("/", 1)[1]),
        "loyalty_card_id": card,
        "customer_id": 1042,
        "reward_title": "Free pastry",
        "points_cost": 20,
        "claim_code": claim["claim_code"],
        "status": "claimed",
        "partner_location_id": 2,
        "notes": "With cream",
        "order_reference": None,
        "claimed_at": claim["created_at"],
        "fulfilled_at": None,
        "cancelled_at": None,
        "created_at": claim["created_at"],
    }
    assert (
        transaction
        | {
            "type": "redeem",
            "points_delta": -20,
            "points_balance_after": 30,
            "purchase_reference": None,
            "partner_location_id": 2,
            "notes": "With cream",
            "reward_claim_id": claim["id"],
            "redemption_id": None,
        }
        == transaction
    )
    stock = call("GET", pastry).json["data"]
    assert (stock["quantity"], stock["quantity_left"], stock["updated_at"]) == (100, 99, claim["created_at"])
    assert call("GET", f"/loyalty-cards/{card}/claims/{claim['id']}").json["data"] == claim
    assert call("GET", f"/loyalty-cards/{card}/claims").json["data"] == [claim]
    assert call("GET", f"/loyalty-cards/{card}/transactions").json["data"][0] == transaction
    books_balance()


def test_a_claim_tells_its_debit_and_itself(events: Events, claimed: dict[str, Any]) -> None:
    claim, transaction = claimed["claim"], claimed["transaction"]
    told = dict(events()[-2:])
    spent = {**transaction, "loyalty_reward_id": claim["loyalty_reward_id"], "customer": PERSON}
    assert told["loyalty.points_redeemed"] == spent
    assert told["loyalty.reward_claimed"] == {
        **claim,
        "points_transaction_id": transaction["id"],
        "customer": PERSON,
        "source": "api",
    }


def test_a_customer_claims_as_often_as_the_reward_allows(call: Call, reward: Callable[..., str]) -> None:
    pastry, other = reward(points_cost=5, max_claims_per_customer=2), reward(points_cost=5)
    first, _ = (call("POST", f"{pastry}/claim", ALEX).json["data"] for _ in range(2))
    assert call("POST", f"{pastry}/claim", ALEX).json["error"]["reason"] == "reward_limit_reached"
    assert call("POST", f"{other}/claim", ALEX).status_code == 201
    call("POST", f"{path_of(first)}/cancel")
    assert call("POST", f"{pastry}/claim", ALEX).status_code == 201, "what was cancelled does not count"
    assert call("POST", f"{pastry}/claim", ALEX).json["error"]["reason"] == "reward_limit_reached"


def test_the_quantity_never_falls_below_what_is_claimed(call: Call, reward: Callable[..., str]) -> None:
    pastry = reward(points_cost=5, quantity=None)
    for _ in range(2):
        call("POST", f"{pastry}/claim", ALEX)
    refused = call("PATCH", pastry, {"quantity": 1})
    assert (refused.status_code, list(refused.json["error"]["details"])) == (400, ["quantity"])
    limited = call("PATCH", pastry, {"quantity": 2}).json["data"]
    assert (limited["quantity"], limited["quantity_left"]) == (2, 0)
    assert call("POST", f"{pastry}/claim", ALEX).json["error"]["reason"] == "reward_out_of_stock"


def test_a_claim_keeps_the_title_and_the_cost_it_was_made_at(
    call: Call, reward: Callable[..., str], books_balance: Books
) -> None:
    pastry = reward()
    claimed = call("POST", f"{pastry}/claim", ALEX).json["data"]
    call("PATCH", pastry, {"title": "Cake", "points_cost": 45})
    assert call("GET", path_of(claimed)).json["data"] == claimed["claim"]
    assert call("POST", f"{path_of(claimed)}/cancel").json["data"]["transaction"]["points_delta"] == 20
    books_balance()


def test_a_claim_is_made_once_per_key(call: Call, reward: Callable[..., str], events: Events) -> None:
    pastry = reward()
    first = call("POST", f"{pastry}/claim", ALEX, key="k")
    told = len(events())
    again = call("POST", f"{pastry}/claim", ALEX, key="k")
    assert (again.status_code, again.json["data"]) == (201, first.json["data"])
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (call("GET", pastry).json["data"]["quantity_left"], len(events())) == (99, told)
    reused = call("POST", f"{pastry}/claim", {**ALEX, "notes": "Other"}, key="k")
    assert reused.json["error"]["reason"] == "idempotency_key_reused"


def test_claims_are_found_by_status_customer_and_code(
    call: Call, card: int, reward: Callable[..., str], knows: Callable[..., int]
) -> None:
    pastry, sam = reward(points_cost=5), knows(1050, "sam@example.com")
    call("POST", f"/loyalty-cards/{card}/enrollments", {"customer_id": sam})
    claims = [
        call("POST", f"{pastry}/claim", {"customer_id": customer}).json["data"]["claim"]
        for customer in (1042, sam, 1042)
    ]
    ids = [claim["id"] for claim in claims]
    call("POST", f"/loyalty-cards/{card}/claims/{ids[0]}/fulfill")
    call("POST", f"/loyalty-cards/{card}/claims/{ids[1]}/cancel")
    for query, expected in (
        ("?", ids[::-1]),
        ("?status=claimed", [ids[2]]),
        ("?status=fulfilled", [ids[0]]),
        ("?status=cancelled", [ids[1]]),
        ("?customer_id=1042", [ids[2], ids[0]]),
        ("?customer_email=SAM@example.com", [ids[1]]),
        (f"?claim_code={claims[0]['claim_code'].lower()}", [ids[0]]),
        ("?claim_code=CLM-2222-2222", []),
        ("?per_page=2&page=2", [ids[0]]),
    ):
        assert [claim["id"] for claim in call("GET", f"/loyalty-cards/{card}/claims{query}").json["data"]] == expected
    first = call("GET", f"/loyalty-cards/{card}/claims?per_page=2&cursor=").json
    rest = call("GET", first["links"]["next"].removeprefix("https://loyalty.test/api/v1")).json
    assert [claim["id"] for claim in first["data"] + rest["data"]] == ids[::-1]
    assert call("GET", f"/loyalty-cards/{card}/claims?status=lost").status_code == 400


def test_claims_and_rewards_are_found_on_their_own_card_and_tenant_only(
    call: Call,
    card: int,
    reward: Callable[..., str],
    claimed: dict[str, Any],
    insider: Callable[..., int],
    tenant_id: int,
) -> None:
    other, claim = insider(), claimed["claim"]["id"]
    pastry = claimed["claim"]["loyalty_reward_id"]
    for place, tenant in ((f"/loyalty-cards/{other}", 0), (f"/loyalty-cards/{card}", tenant_id + 1_000_000)):
        for method, path, sent in (
            ("GET", f"/claims/{claim}", None),
            ("POST", f"/claims/{claim}/fulfill", None),
            ("POST", f"/claims/{claim}/fulfill", {"order_reference": 5}),
            ("POST", f"/claims/{claim}/cancel", None),
            ("POST", f"/rewards/{pastry}/claim", ALEX),
            ("POST", f"/rewards/{pastry}/claim", {}),
        ):
            assert call(method, place + path, sent, tenant=tenant).status_code == 404, (place, path)
    assert call("GET", path_of(claimed)).json["data"] == claimed["claim"]
