"""What the shop offers: places, a card with rewards, a stamp card, vouchers, a referral program."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from loyalty_local.demo_data.api import Api
from loyalty_local.demo_data.visits import PLACES

_REWARDS: tuple[dict[str, Any], ...] = (
    {"title": "Fresh pastry", "points_cost": 40, "description": "Whatever came out of the oven this morning."},
    {"title": "Any coffee", "points_cost": 60},
    {"title": "Bag of house beans", "points_cost": 150, "quantity": 60},
    {"title": "Barista class", "points_cost": 400, "quantity": 8, "max_claims_per_customer": 1},
)


@dataclass(frozen=True)
class Catalogue:
    """Ids of what was made. ``pastry`` is the reward that costs the least; ``flyers`` are codes of a batch."""

    places: list[int]
    card: int
    pastry: int
    stamp_card: int
    welcome: int
    rainy: int
    flyers: list[int]
    program: int


def offer(api: Api, *, first_place: int, today: date) -> Catalogue:
    places = [first_place, *(_place(api, number) for number in range(1, len(PLACES)))]
    card = _card(api, places[0], issued=today - timedelta(days=210))
    pastry, *_ = [
        api.post(f"/loyalty-cards/{card}/rewards", reward, once=f"demo-reward-{number}")["id"]
        for number, reward in enumerate(_REWARDS)
    ]
    club = {"name": "Coffee Club", "partner_location_id": places[0], "reward_title": "Free coffee"}
    stamp_card = api.post("/stamp-cards", {**club, "stamps_required_for_reward": 10}, once="demo-stamp-card")["id"]
    welcome, rainy = (_voucher(api, places[0], today, number) for number in range(2))
    _thanks = _batch(api, places[0], today, "Thank-you cards", "THANKS-", quantity=40, off={"fixed": 5})
    flyers = _batch(api, places[1], today, "Neighbourhood flyer", "HELLO-", quantity=150, off={"percent": 15})
    return Catalogue(places, card, pastry, stamp_card, welcome, rainy, flyers, _program(api, card))


def _place(api: Api, number: int) -> int:
    sent = {"name": PLACES[number].name, "time_zone": PLACES[number].time_zone}
    place: int = api.post("/partner-locations", sent, once=f"demo-location-{number}")["id"]
    return place


def _card(api: Api, place: int, *, issued: date) -> int:
    earning = {"earn_spend_amount": 1, "earn_points": 1, "earn_currency": "USD", "initial_bonus_points": 5}
    sent = {"name": "Insider Points", "card_identifier": "RIVERSIDE-INSIDER", "partner_location_id": place}
    card: int = api.post(
        "/loyalty-cards",
        {**sent, **earning, "date_issued": issued.isoformat(), "points_expire_after_months": 12},
        once="demo-card",
    )["id"]
    return card


def _voucher(api: Api, place: int, today: date, number: int) -> int:
    kinds: tuple[dict[str, Any], ...] = (
        {"name": "Welcome back", "voucher_code": "WELCOME10", "discount_type": "percent", "discount_value": 10},
        {"name": "Rainy day", "voucher_code": "RAINY2", "discount_type": "fixed", "discount_value": 2},
    )
    limits: tuple[dict[str, Any], ...] = (
        {"max_redemptions_per_customer": 2, "max_discount_amount": 5},
        {"minimum_order_amount": 8, "valid_until": (today + timedelta(days=45)).isoformat()},
    )
    sent = {**kinds[number], **limits[number], "partner_location_id": place}
    voucher: int = api.post("/vouchers", sent, once=f"demo-voucher-{number}")["id"]
    return voucher


def _batch(
    api: Api, place: int, today: date, name: str, prefix: str, *, quantity: int, off: dict[str, int]
) -> list[int]:
    """The ids of some of its vouchers, the same ones every time."""
    [(kind, value)] = off.items()
    until = (today + timedelta(days=60)).isoformat()
    sent = {
        "name": name,
        "quantity": quantity,
        "code_prefix": prefix,
        "partner_location_id": place,
        "discount_type": kind,
        "discount_value": value,
        "max_redemptions": 1,
        "valid_until": until,
    }
    batch = api.post("/voucher-batches", sent, once=f"demo-batch-{prefix}")["id"]
    return [voucher["id"] for voucher in api.get(f"/vouchers?voucher_batch_id={batch}&per_page=50")]


def _program(api: Api, card: int) -> int:
    sent = {
        "name": "Bring a friend",
        "loyalty_card_id": card,
        "referrer_points": 10,
        "referred_points": 5,
        "milestones": [{"type": "first_purchase", "minimum_amount": 5}],
    }
    program: int = api.post("/referral-programs", sent, once="demo-program")["id"]
    return program
