"""The ten events of the reference: each is caused by its operation, delivered, verified, and as its contract says."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

Told = dict[str, dict[str, Any]]


def events_of_the_reference(contracts: Path) -> list[str]:
    _, _, after = (contracts / "partner-api.txt").read_text().partition("Event types\n")
    return re.findall(r"^([a-z]+\.[a-z_]+) [A-Z].*\.$", after, re.MULTILINE)


def about_customers(api: Any, at: Mapping[str, int]) -> Told:
    created = api.data("POST", "/customers", {"email": "alex@example.com", "name": "Alex"})
    api.data("POST", "/customers", {"email": "sam@example.com"})
    updated = api.data("PATCH", f"/customers/{created['id']}", {"name": "Alex Rivera"})
    return {"customer.created": created, "customer.updated": {**updated, "changed": ["name"]}}


def about_points(api: Any, at: Mapping[str, int]) -> Told:
    alex = {"customer_email": "alex@example.com"}
    rule = {"earn_spend_amount": 10, "earn_points": 1, "initial_bonus_points": 50}
    card = f"/loyalty-cards/{api.data('POST', '/loyalty-cards', {'name': 'Insider Points', **at, **rule})['id']}"
    reward = api.data("POST", f"{card}/rewards", {"title": "Free pastry", "points_cost": 20})
    enrolled = api.data("POST", f"{card}/enrollments", alex)
    earned = api.data("POST", f"{card}/transactions", {**alex, "amount": 24.50, "currency": "USD"})
    redeemed = api.data("POST", f"{card}/redemptions", {**alex, "points": 30})
    claimed = api.data("POST", f"{card}/rewards/{reward['id']}/claim", alex)
    return {
        "loyalty.enrolled": enrolled,
        "loyalty.points_earned": earned,
        "loyalty.points_redeemed": redeemed["transaction"],
        "loyalty.reward_claimed": {**claimed["claim"], "points_transaction_id": claimed["transaction"]["id"]},
    }


def about_stamps(api: Any, at: Mapping[str, int]) -> Told:
    club = {"name": "Coffee Club", **at, "stamps_required_for_reward": 10}
    card = f"/stamp-cards/{api.data('POST', '/stamp-cards', club)['id']}"
    issued = api.data("POST", f"{card}/stamps", {"customer_email": "alex@example.com", "quantity": 12})
    unlocked = api.data("GET", f"{card}/rewards")
    fulfilled = api.data("POST", f"{card}/rewards/{unlocked[0]['id']}/fulfill", {"order_reference": "POS-88440"})
    return {
        "stamp.issued": {"id": issued[0]["id"], "stamps": issued, "rewards_unlocked": unlocked},
        "stamp.reward_fulfilled": fulfilled,
    }


def about_vouchers(api: Any, at: Mapping[str, int]) -> Told:
    spring = {"name": "Spring Savings", **at, "discount_type": "percent", "discount_value": 20}
    voucher = api.data("POST", "/vouchers", spring)
    sale = {"customer_email": "alex@example.com", "order_amount": 45}
    return {"voucher.redeemed": api.data("POST", f"/vouchers/{voucher['id']}/redeem", sale)}


def about_referrals(api: Any, at: Mapping[str, int]) -> Told:
    card = api.data("POST", "/loyalty-cards", {"name": "Friends", **at})
    offer = {"name": "Bring a friend", "loyalty_card_id": card["id"], "referrer_points": 100, "referred_points": 50}
    program = api.data("POST", "/referral-programs", {**offer, "milestones": [{"type": "custom"}]})
    path = f"/referral-programs/{program['id']}"
    members = f"/loyalty-cards/{card['id']}/enrollments"
    api.data("POST", members, {"customer_email": "alex@example.com"})
    code = api.data("POST", f"{path}/codes", {"customer_email": "alex@example.com"})["referral_code"]
    friend = {"referral_code": code, "customer_email": "sam@example.com"}
    referral = api.data("POST", f"{path}/referrals", friend)
    api.data("POST", members, {"customer_email": "sam@example.com"})
    return {"referral.completed": api.data("POST", f"{path}/referrals/{referral['id']}/complete")}


ABOUT = (about_customers, about_points, about_stamps, about_vouchers, about_referrals)


def holds(envelope: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    """Whether an event tells what the API answered: it may say more, and nothing else."""
    return {key: envelope["data"].get(key) for key in told} == told


def test_each_event_is_caused_delivered_signed_and_as_its_contract_says(
    founded: Any, receiver: Any, contracts: Path
) -> None:
    names = events_of_the_reference(contracts)
    assert len(names) == 10
    assert sorted(path.stem for path in (contracts / "events").iterdir()) == sorted(names)
    secret = founded.api.data("POST", "/webhook-endpoints", {"url": receiver.url})["signing_secret"]

    told: Told = {}
    for cause in ABOUT:
        told |= cause(founded.api, {"partner_location_id": founded.partner_location_id})
    assert sorted(told) == sorted(names)

    for name in names:  # One by one: an event that never comes is named.
        try:
            receiver.wait_for(lambda all_, name=name: any(holds(e, told[name]) for e in of_type(all_, name)))
        except TimeoutError:
            pytest.fail(f"{name} never told {told[name]}, but {of_type(receiver.received, name)}")
    for one in receiver.received:
        assert one.is_signed_with(secret)
        assert one.envelope["event"] == one.headers["x-loyalty-event"]
        schema = json.loads((contracts / f"events/{one.envelope['event']}.json").read_text())
        jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(one.envelope)
    numbers = {one.envelope["id"]: one.envelope["sequence"] for one in receiver.received}
    assert len(set(numbers.values())) == len(numbers)


def of_type(deliveries: Any, name: str) -> list[Any]:
    return [one.envelope for one in deliveries if one.headers["x-loyalty-event"] == name]
