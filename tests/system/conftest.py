"""Organizations that have one of everything, and what they would send to each operation."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
import requests

Ids = dict[str, Any]


@pytest.fixture(scope="module")
def document(suite: Any) -> dict[str, Any]:
    """The merged OpenAPI."""
    document: dict[str, Any] = requests.get(f"{suite.base_url}/openapi.json", timeout=10).json()
    return document


_numbers = count(1)


@pytest.fixture(scope="session")
def own_everything() -> Callable[[Any, str], Ids]:
    """``own_everything(merchant, "theirs")``: what he has of each kind, by the name that parameters and fields of the
    API give it. The customer is a friend whom another has referred, and all of it is his."""

    def own(merchant: Any, name: str) -> Ids:
        ids: Ids = {"partner_location_id": merchant.partner_location_id}
        for make in (_people, _points, _stamps, _vouchers, _rest, _webhooks):
            ids |= make(merchant.api, name, ids)
        return ids

    return own


def _people(api: Any, name: str, ids: Ids) -> Ids:
    """Customers, a card, and one who brought the other to it."""
    friend = {"email": f"{name}@example.com", "name": f"{name} secret", "external_id": f"crm-{name}"}
    friend_id = api.data("POST", "/customers", friend)["id"]
    referrer_id = api.data("POST", "/customers", {"email": f"{name}-first@example.com"})["id"]
    at = {"partner_location_id": ids["partner_location_id"]}
    card_id = api.data("POST", "/loyalty-cards", {"name": f"{name} card", **at, "auto_enroll": True})["id"]
    offer = {"name": f"{name} friends", "loyalty_card_id": card_id, "milestones": [{"type": "custom"}]}
    program = api.data("POST", "/referral-programs", offer)
    path = f"/referral-programs/{program['id']}"
    api.data("POST", f"/loyalty-cards/{card_id}/enrollments", {"customer_id": referrer_id})
    code = api.data("POST", f"{path}/codes", {"customer_id": referrer_id})["referral_code"]
    referral = api.data("POST", f"{path}/referrals", {"referral_code": code, "customer_id": friend_id})
    return {
        "customer_id": friend_id,
        "ids": str(friend_id),
        "customer_email": friend["email"],
        "email": friend["email"],
        "identifier": friend["email"],
        "external_id": friend["external_id"],
        "referrer_customer_id": referrer_id,
        "referred_customer_id": friend_id,
        "card_id": card_id,
        "loyalty_card_id": card_id,
        "referral_program_id": program["id"],
        "milestone_id": program["milestones"][0]["id"],
        "referral_code": code,
        "referral_id": referral["id"],
    }


def _points(api: Any, name: str, ids: Ids) -> Ids:
    card, customer = f"/loyalty-cards/{ids['card_id']}", {"customer_id": ids["customer_id"]}
    earned = api.data("POST", f"{card}/transactions", {**customer, "points": 100, "reference": name, "notes": name})
    [member] = api.data("GET", f"{card}/enrollments?customer_id={ids['customer_id']}")
    api.data("POST", f"{card}/redemptions", {**customer, "points": 1})
    reward_id = api.data("POST", f"{card}/rewards", {"title": f"{name} pastry", "points_cost": 1})["id"]
    claim = api.data("POST", f"{card}/rewards/{reward_id}/claim", customer)["claim"]
    return {
        "transaction_id": earned["id"],
        "enrollment_id": member["id"],
        "member_number": member["member_number"],
        "loyalty_reward_id": reward_id,
        "claim_id": claim["id"],
        "claim_code": claim["claim_code"],
    }


def _stamps(api: Any, name: str, ids: Ids) -> Ids:
    at = {"partner_location_id": ids["partner_location_id"]}
    club = api.data("POST", "/stamp-cards", {"name": f"{name} stamps", **at, "stamps_required_for_reward": 2})
    card = f"/stamp-cards/{club['id']}"
    stamps = api.data("POST", f"{card}/stamps", {"customer_id": ids["customer_id"], "quantity": 3})
    [reward] = api.data("GET", f"{card}/rewards")
    return {"stamp_card_id": club["id"], "stamp_id": stamps[0]["id"], "stamp_reward_id": reward["id"]}


def _vouchers(api: Any, name: str, ids: Ids) -> Ids:
    offer = {"name": f"{name} voucher", "partner_location_id": ids["partner_location_id"]}
    offer |= {"discount_type": "fixed", "discount_value": 5}
    voucher = api.data("POST", "/vouchers", {**offer, "voucher_code": f"CODE-{name}"})
    sale = {"customer_id": ids["customer_id"], "order_amount": 5, "notes": name}
    redeemed = api.data("POST", f"/vouchers/{voucher['id']}/redeem", sale)
    batch = api.data("POST", "/voucher-batches", {**offer, "quantity": 2})
    return {
        "voucher_id": voucher["id"],
        "voucher_code": voucher["voucher_code"],
        "redemption_id": redeemed["id"],
        "voucher_batch_id": batch["id"],
    }


def _rest(api: Any, name: str, ids: Ids) -> Ids:
    file = {"data": f"email\n{name}@example.com\n", "headers": {"Content-Type": "text/csv"}}
    return {
        "import_id": api.data("POST", "/imports?type=customers", **file)["id"],
        "reconciliation_id": api.data("POST", "/reconciliations", _reconciliation(ids))["id"],
        "api_key_id": api.data("POST", "/api-keys", {"name": f"{name} key"})["id"],
        "user_id": _user(api, f"{name}-{next(_numbers)}@example.com"),
        "token": "a link that nobody else has",
    }


def _webhooks(api: Any, name: str, ids: Ids) -> Ids:
    """An endpoint that was owed an event, tried in vain, and is paused now: nothing of it changes any more."""
    endpoint = {"url": f"http://127.0.0.1:9/{name}", "events": ["customer.created"]}
    endpoint_id = api.data("POST", "/webhook-endpoints", endpoint)["id"]
    customer_id = api.data("POST", "/customers", {"email": f"{name}-last@example.com"})["id"]
    deadline = time.monotonic() + 60
    while True:
        events = {event["data"]["id"]: event["id"] for event in api.data("GET", "/events?event=customer.created")}
        owed = api.data("GET", "/webhook-deliveries")
        if customer_id in events and all(each["attempt_count"] and each["status"] == "pending" for each in owed):
            break
        assert time.monotonic() < deadline, owed
        time.sleep(0.05)
    api.data("PATCH", f"/webhook-endpoints/{endpoint_id}", {"is_active": False})
    [delivery] = api.data("GET", f"/webhook-deliveries?event_id={events[customer_id]}")
    replay_id = api.data("POST", f"/webhook-endpoints/{endpoint_id}/replay", _replay())["id"]
    while api.data("GET", f"/webhook-replays/{replay_id}")["job"]["status"] != "succeeded":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    ids = {"endpoint_id": endpoint_id, "delivery_id": delivery["id"], "event_id": delivery["event_id"]}
    return {**ids, "replay_id": replay_id}


def _replay() -> dict[str, str]:
    return {"since": (datetime.now(UTC) - timedelta(days=1)).isoformat(), "only": "failed"}


def _user(api: Any, email: str) -> int:
    """Users are those of both modes, with an address of their own; a key of the test mode makes none."""
    made = api.call("POST", "/users", {"name": email, "email": email, "role": "staff"})
    user_id: int = made.json()["data"]["id"] if made.status_code == 201 else 888_888_888_888
    return user_id


@pytest.fixture(scope="session")
def bodies() -> Callable[[Ids], dict[str, dict[str, Any]]]:
    """By operation what its owner would send, and be answered with success; the empty ones are not here."""
    return _bodies


def _bodies(ids: Ids) -> dict[str, dict[str, Any]]:
    who = {"customer_email": ids["customer_email"]}
    at = {"partner_location_id": ids["partner_location_id"]}
    card, stamp_card = "/loyalty-cards/{card_id}", "/stamp-cards/{stamp_card_id}"
    program, voucher = "/referral-programs/{referral_program_id}", "/vouchers/{voucher_id}"
    discount = {"name": "mine", **at, "discount_type": "fixed", "discount_value": 5}
    return {
        "POST /api-keys": {"name": "mine"},
        "POST /loyalty-cards": {"name": "mine", **at},
        f"PATCH {card}": at,
        f"POST {card}/enrollments": who,
        f"PATCH {card}/enrollments/{{enrollment_id}}": {"status": "active"},
        f"POST {card}/transactions": {**who, **at, "points": 5},
        f"POST {card}/transactions/preview": {**who, **at, "points": 5},
        f"POST {card}/redemptions": {**who, **at, "points": 1},
        f"POST {card}/rewards": {"title": "mine", "points_cost": 5},
        f"POST {card}/rewards/{{loyalty_reward_id}}/claim": {**who, **at},
        f"POST {card}/claims/{{claim_id}}/fulfill": at,
        "POST /reconciliations": _reconciliation(ids),
        "POST /referral-programs": {
            "name": "mine",
            "loyalty_card_id": ids["loyalty_card_id"],
            "milestones": [{"type": "enrolled"}],
        },
        f"PATCH {program}": {"milestones": [{"id": ids["milestone_id"], "type": "custom"}]},
        f"POST {program}/codes": who,
        f"POST {program}/referrals": {**who, "referral_code": ids["referral_code"]},
        f"POST {program}/referrals/{{referral_id}}/complete": {"milestone_id": ids["milestone_id"]},
        "POST /stamp-cards": {"name": "mine", **at, "stamps_required_for_reward": 5},
        f"PATCH {stamp_card}": at,
        f"POST {stamp_card}/stamps": {**who, **at},
        f"POST {stamp_card}/rewards/{{stamp_reward_id}}/fulfill": at,
        "POST /vouchers": discount,
        "POST /voucher-batches": {**discount, "quantity": 2},
        "POST /vouchers/redeem": {**who, **at, "order_amount": 5, "voucher_code": ids["voucher_code"]},
        "POST /vouchers/validate": {**who, **at, "order_amount": 5, "voucher_code": ids["voucher_code"]},
        f"PATCH {voucher}": at,
        f"POST {voucher}/redeem": {**who, **at, "order_amount": 5},
        f"POST {voucher}/validate": {**who, **at, "order_amount": 5},
        "POST /webhook-endpoints/{endpoint_id}/replay": _replay(),
    }


def _reconciliation(ids: Ids) -> dict[str, Any]:
    now = datetime.now(UTC)
    receipt = {"reference": "POS-1", "amount": 5, "currency": "USD", "customer_email": ids["customer_email"]}
    window = {"from": (now - timedelta(hours=1)).isoformat(), "to": now.isoformat()}
    return {"loyalty_card_id": ids["loyalty_card_id"], **window, "entries": [receipt]}
