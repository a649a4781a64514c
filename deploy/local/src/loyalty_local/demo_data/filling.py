"""The month, told to the API in the order in which it happened."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from loyalty_local.demo_data import people, visits
from loyalty_local.demo_data.api import Api, Refused
from loyalty_local.demo_data.catalogue import Catalogue, offer
from loyalty_local.demo_data.people import Person
from loyalty_local.demo_data.visits import Visit

_SEED = 2026
_LOOKS_BACK = timedelta(days=30) - timedelta(minutes=5)
_PASTRY_POINTS = 40
_MISTYPED = (("nina.hoffmann(at)example.com", "Nina Hoffmann"), ("", "Walk-in, no e-mail"))
"""Rows of the members' file as such files have them, so that an import with errors can be seen."""


def fill(api: Api, *, first_place: int, until: datetime) -> None:
    """All of it once, however often it is run with the same ``until``, within the days that the API remembers the
    names of writes. Purchases that lie too far back by now are left out."""
    today = until.date()
    catalogue = offer(api, first_place=first_place, today=today)
    random = Random(_SEED)  # noqa: S311 (the same month every time, no secret)
    members = people.members(today, random)
    _import(api, catalogue, members)
    for visit in visits.of_a_month(members, until=until, random=random):
        if visit.at > datetime.now(UTC) - _LOOKS_BACK:
            _pay(api, catalogue, visit)
    _hand_over(api, catalogue, members)
    _refer(api, catalogue, members)


def _import(api: Api, catalogue: Catalogue, members: Sequence[Person]) -> None:
    """The only way to say when somebody became a member."""
    file = io.StringIO()
    rows = csv.writer(file)
    rows.writerow(["email", "name", "phone", "loyalty_card_id", "member_since"])
    for person in members:
        rows.writerow([person.email, person.name, person.phone, catalogue.card, person.joined_on])
    rows.writerows([email, name, None, catalogue.card, None] for email, name in _MISTYPED)
    job = api.upload("/imports?type=customers&file_name=members.csv", file.getvalue(), once="demo-import")
    while api.get(f"/imports/{job['id']}")["job"]["finished_at"] is None:
        api.pause()


def _pay(api: Api, catalogue: Catalogue, visit: Visit) -> None:
    card, receipt = catalogue.card, f"R-{visit.number + 10_001}"
    bought = {
        "customer_email": visit.person.email,
        "partner_location_id": catalogue.places[visit.place],
        "occurred_at": visit.at.isoformat(),
    }
    paid = {**bought, "reference": receipt, "amount": str(visit.amount), "currency": "USD"}
    # Who pauses a card or erases a member meanwhile finds that respected.
    with suppress(Refused):
        credited = _post(api, f"/loyalty-cards/{card}/transactions", paid, visit, "points")
        _post(api, f"/stamp-cards/{catalogue.stamp_card}/stamps", {**paid, "quantity": visit.cups}, visit, "stamps")
        if visit.mood > 0.8 and credited["points_balance_after"] > _PASTRY_POINTS + 15:
            redeemed = {**bought, "reference": receipt, "points": _PASTRY_POINTS, "notes": "Pastry"}
            _post(api, f"/loyalty-cards/{card}/redemptions", redeemed, visit, "redemption")
        if (voucher := _voucher(catalogue, visit)) is not None:
            order = {**bought, "order_amount": str(visit.amount), "order_reference": receipt}
            _post(api, f"/vouchers/{voucher}/redeem", order, visit, "voucher")


def _post(api: Api, path: str, body: dict[str, Any], visit: Visit, what: str) -> Any:
    return api.post(path, body, once=f"demo-visit-{visit.number}-{what}")


def _voucher(catalogue: Catalogue, visit: Visit) -> int | None:
    """What is shown at the till: on one visit in eight."""
    if visit.mood < 0.05:
        return catalogue.welcome
    if visit.mood < 0.09 and visit.amount >= 8:
        return catalogue.rainy
    if visit.mood < 0.13:
        return catalogue.flyers[visit.number % len(catalogue.flyers)]
    return None


def _hand_over(api: Api, catalogue: Catalogue, members: Sequence[Person]) -> None:
    """Most full stamp cards were turned into a coffee; three members claim a reward today."""
    path = f"/stamp-cards/{catalogue.stamp_card}/rewards"
    unlocked = sorted(reward["id"] for reward in api.get(f"{path}?per_page=100"))
    for number, reward in enumerate(unlocked):
        if number % 4 != 3:
            order = {"order_reference": f"F-{number + 501}", "partner_location_id": catalogue.places[0]}
            with suppress(Refused):
                api.post(f"{path}/{reward}/fulfill", order, once=f"demo-coffee-{reward}")
    regulars = sorted(members, key=lambda person: person.visits_a_week, reverse=True)[:3]
    for number, person in enumerate(regulars):
        claiming = {"customer_email": person.email, "partner_location_id": catalogue.places[0]}
        with suppress(Refused):
            claimed = api.post(
                f"/loyalty-cards/{catalogue.card}/rewards/{catalogue.pastry}/claim",
                claiming,
                once=f"demo-claim-{number}",
            )["claim"]["id"]
            if number:
                order = {"order_reference": f"C-{number + 101}"}
                api.post(
                    f"/loyalty-cards/{catalogue.card}/claims/{claimed}/fulfill", order, once=f"demo-handed-{number}"
                )


def _refer(api: Api, catalogue: Catalogue, members: Sequence[Person]) -> None:
    """Six friends are brought along; two thirds of them bought something already."""
    program = f"/referral-programs/{catalogue.program}"
    for number, friend in enumerate(people.friends()):
        referrer = {"customer_email": members[number % 4].email}
        profile = {"email": friend.email, "name": friend.name, "phone": friend.phone}
        at_the_till = {"customer_email": friend.email, "partner_location_id": catalogue.places[number % 3]}
        with suppress(Refused):
            code = api.post(f"{program}/codes", referrer, once=f"demo-code-{number}")["referral_code"]
            api.post("/customers", profile, once=f"demo-friend-{number}")
            friend_named = {"referral_code": code, "customer_email": friend.email}
            api.post(f"{program}/referrals", friend_named, once=f"demo-referral-{number}")
            api.post(
                f"/loyalty-cards/{catalogue.card}/enrollments",
                {"customer_email": friend.email},
                once=f"demo-member-{number}",
            )
            if number % 3:
                paid = {**at_the_till, "reference": f"N-{number + 1}", "amount": "9.25", "currency": "USD"}
                api.post(f"/loyalty-cards/{catalogue.card}/transactions", paid, once=f"demo-first-{number}")
