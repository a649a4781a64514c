"""One of everything that a merchant can have, by the names that the paths of pages give to ids."""

from __future__ import annotations

from typing import Any

Ids = dict[str, int]


def belongings(api: Any, *, place: int, name: str, mailbox: str = "theirs") -> Ids:
    """``name`` stands in whatever has a name or a text."""
    at = {"partner_location_id": place}
    ids = {"location_id": place, "customer_id": _customer(api, mailbox, name)}
    return (
        ids
        | _points(api, at, ids["customer_id"], name)
        | _stamps(api, at, ids["customer_id"], name)
        | _vouchers(api, at, ids["customer_id"], name)
        | {"import_id": _import(api, name)}
    )


def _customer(api: Any, mailbox: str, name: str) -> int:
    customer_id: int = api.data("POST", "/customers", {"email": f"{mailbox}@example.com", "name": f"{name} Rivera"})[
        "id"
    ]
    return customer_id


def _points(api: Any, at: Ids, customer_id: int, name: str) -> Ids:
    """A card with a reward that is claimed, and a friend who came to it."""
    earning = {"earn_spend_amount": 1, "earn_points": 1, "initial_bonus_points": 50}
    card_id = api.data("POST", "/loyalty-cards", {"name": f"{name} points", **at, **earning})["id"]
    card, of = f"/loyalty-cards/{card_id}", {"customer_id": customer_id}
    enrollment_id = api.data("POST", f"{card}/enrollments", of)["enrollment"]["id"]
    paid = {**of, "amount": 24.50, "currency": "USD", "reference": f"{name}-1", "notes": name}
    transaction_id = api.data("POST", f"{card}/transactions", paid)["id"]
    reward_id = api.data("POST", f"{card}/rewards", {"title": f"{name} pastry", "points_cost": 20})["id"]
    claim_id = api.data("POST", f"{card}/rewards/{reward_id}/claim", of)["claim"]["id"]
    found = {
        "card_id": card_id,
        "enrollment_id": enrollment_id,
        "transaction_id": transaction_id,
        "reward_id": reward_id,
        "claim_id": claim_id,
    }
    return found | _friend(api, card_id, customer_id, name)


def _friend(api: Any, card_id: int, customer_id: int, name: str) -> Ids:
    offer = {"name": f"{name} friends", "loyalty_card_id": card_id, "milestones": [{"type": "custom"}]}
    program = api.data("POST", "/referral-programs", offer)
    path = f"/referral-programs/{program['id']}"
    code = api.data("POST", f"{path}/codes", {"customer_id": customer_id})["referral_code"]
    brought = {"referral_code": code, "customer_id": _customer(api, f"friend-{card_id}", name)}
    referral_id = api.data("POST", f"{path}/referrals", brought)["id"]
    return {
        "program_id": program["id"],
        "referral_id": referral_id,
        "milestone_id": program["milestones"][0]["id"],
    }


def _stamps(api: Any, at: Ids, customer_id: int, name: str) -> Ids:
    club = {"name": f"{name} stamps", **at, "stamps_required_for_reward": 3, "reward_title": f"{name} coffee"}
    card_id = api.data("POST", "/stamp-cards", club)["id"]
    stamps = api.data("POST", f"/stamp-cards/{card_id}/stamps", {"customer_id": customer_id, "quantity": 4})
    return {"stamp_card_id": card_id, "stamp_id": stamps[0]["id"]}


def _vouchers(api: Any, at: Ids, customer_id: int, name: str) -> Ids:
    offer = {"name": f"{name} voucher", **at, "discount_type": "fixed", "discount_value": 5}
    voucher_id = api.data("POST", "/vouchers", {**offer, "voucher_code": f"CODE-{customer_id}"})["id"]
    sale = {"customer_id": customer_id, "order_amount": 12, "notes": name}
    redemption_id = api.data("POST", f"/vouchers/{voucher_id}/redeem", sale)["id"]
    batch_id = api.data("POST", "/voucher-batches", {**offer, "quantity": 3})["id"]
    return {"voucher_id": voucher_id, "redemption_id": redemption_id, "batch_id": batch_id}


def _import(api: Any, name: str) -> int:
    file = {"data": f"email,name\nnobody,{name}\n".encode(), "headers": {"Content-Type": "text/csv"}}
    import_id: int = api.data("POST", "/imports?type=customers", **file)["id"]
    return import_id
