"""The main job on real input: a till sends a purchase, it is credited once, and the integrator hears of it, signed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jsonschema
import pytest

CAUSED = (
    "customer.created",
    "loyalty.enrolled",
    "loyalty.points_earned",
    "customer.updated",
    "stamp.issued",
    "voucher.redeemed",
)


@pytest.fixture(scope="module")
def broker_suite(start_suite: Callable[..., Any], rabbitmq: Any, redis_server: Any) -> Iterator[Any]:
    """As on a cluster: events over RabbitMQ, limits in Redis."""
    suite = start_suite(events_url=rabbitmq.url, redis_url=redis_server.url)
    yield suite
    suite.stop()


@pytest.fixture(params=["embedded", "broker"])
def founded(request: pytest.FixtureRequest, found_merchant: Any) -> Any:
    suite = request.getfixturevalue("suite" if request.param == "embedded" else "broker_suite")
    return found_merchant(suite)


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


def test_each_event_of_the_reference_endpoints_is_delivered_signed_and_as_its_contract_says(
    founded: Any, receiver: Any, contracts: Path
) -> None:
    api = founded.api
    secret = api.data("POST", "/webhook-endpoints", {"url": receiver.url})["signing_secret"]
    alex = {"customer_email": "alex@example.com"}
    location = {"partner_location_id": founded.partner_location_id}
    api.data("POST", "/customers", {"email": "alex@example.com", "name": "Alex Rivera"})
    card_id = card_of(founded, initial_bonus_points=50)
    api.data("POST", f"/loyalty-cards/{card_id}/enrollments", alex)
    api.data("POST", f"/loyalty-cards/{card_id}/transactions", {**alex, "amount": 24.50, "currency": "USD"})
    api.data("POST", f"/loyalty-cards/{card_id}/transactions", {**alex, "points": -10})
    stamp_card = {"name": "Coffee Club", **location, "stamps_required_for_reward": 10}
    stamp_card_id = api.data("POST", "/stamp-cards", stamp_card)["id"]
    api.data("POST", f"/stamp-cards/{stamp_card_id}/stamps", {**alex, "quantity": 12})
    voucher = {"name": "Spring Savings", **location, "discount_type": "percent", "discount_value": 20}
    voucher_id = api.data("POST", "/vouchers", voucher)["id"]
    api.data("POST", f"/vouchers/{voucher_id}/redeem", {**alex, "order_amount": 45})

    # The bonus and the purchase are two balance changes, so two events of their kind.
    deliveries = receiver.wait_for(lambda all_: len({one.envelope["id"] for one in all_}) >= 7)
    envelopes = {one.envelope["id"]: one.envelope for one in deliveries}
    assert {envelope["event"] for envelope in envelopes.values()} == set(CAUSED)
    assert all(one.is_signed_with(secret) for one in deliveries)
    assert sorted(envelope["sequence"] for envelope in envelopes.values()) == list(range(1, 8))
    for envelope in envelopes.values():
        schema = json.loads((contracts / f"events/{envelope['event']}.json").read_text())
        jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(envelope)


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
