"""The main job on real input: a till sends a purchase, it is credited once, and the integrator hears of it once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest


def card_of(merchant: Any, **more: Any) -> int:
    sent = {
        "name": "Insider Points",
        "partner_location_id": merchant.partner_location_id,
        "earn_spend_amount": 10,
        "earn_points": 1,
        "earn_currency": "USD",
        **more,
    }
    card_id: int = merchant.api.data("POST", "/loyalty-cards", sent)["id"]
    return card_id


@pytest.mark.parametrize("repeated", ["one key", "one reference, fifty keys"])
def test_fifty_tills_sending_one_purchase_credit_it_once(founded: Any, receiver: Any, repeated: str) -> None:
    api = founded.api
    api.data("POST", "/webhook-endpoints", {"url": receiver.url, "events": ["loyalty.points_earned"]})
    api.data("POST", "/customers", {"email": "alex@example.com"})
    card_id = card_of(founded, auto_enroll=True)
    purchase = {"customer_email": "alex@example.com", "reference": "POS-88421", "amount": 24.50, "currency": "USD"}

    def send(till: int) -> Any:
        key = "purchase" if repeated == "one key" else f"till-{till}"
        return api.call("POST", f"/loyalty-cards/{card_id}/transactions", purchase, key=key)

    with ThreadPoolExecutor(50) as tills:
        answers = list(tills.map(send, range(50)))
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len({answer.json()["data"]["id"] for answer in answers}) == 1
    assert {answer.json()["data"]["points_balance_after"] for answer in answers} == {2}
    assert len(api.data("GET", f"/loyalty-cards/{card_id}/transactions")) == 1
    # A second purchase is heard of after the first was; what came before it, came once.
    api.data("POST", f"/loyalty-cards/{card_id}/transactions", {**purchase, "reference": "POS-88422"})
    heard = receiver.wait_for(lambda all_: any(b"POS-88422" in one.body for one in all_))
    assert len({one.envelope["id"] for one in heard}) == 2


def test_forty_tills_redeeming_the_last_use_of_a_voucher_redeem_it_once(founded: Any) -> None:
    api = founded.api
    voucher = {
        "name": "One only",
        "partner_location_id": founded.partner_location_id,
        "discount_type": "fixed",
        "discount_value": 5,
        "max_redemptions": 1,
    }
    voucher_id = api.data("POST", "/vouchers", voucher)["id"]
    for number in range(40):
        api.data("POST", "/customers", {"email": f"c{number}@example.com"})

    def redeem(number: int) -> Any:
        sent = {"customer_email": f"c{number}@example.com", "order_amount": 20}
        return api.call("POST", f"/vouchers/{voucher_id}/redeem", sent)

    with ThreadPoolExecutor(40) as tills:
        answers = list(tills.map(redeem, range(40)))
    assert sorted(answer.status_code for answer in answers) == [201] + [400] * 39
    refused = {answer.json()["error"]["reason"] for answer in answers if answer.status_code == 400}
    assert refused == {"voucher_limit_reached"}
    assert api.data("GET", f"/vouchers/{voucher_id}")["redemptions_count"] == 1


def test_a_customer_created_a_moment_ago_is_credited_at_once(founded: Any) -> None:
    card_id = card_of(founded, auto_enroll=True)
    for number in range(20):
        founded.api.data("POST", "/customers", {"email": f"new{number}@example.com"})
        sent = {"customer_email": f"new{number}@example.com", "points": 5}
        earned = founded.api.data("POST", f"/loyalty-cards/{card_id}/transactions", sent)
        assert earned["points_balance_after"] == 5
