"""What the service answers is what its OpenAPI document says."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

Call = Callable[..., Any]
SALE = {"customer_id": 1042, "amount": 24.50, "currency": "USD"}


@pytest.fixture
def agrees(client: FlaskClient) -> Callable[..., None]:
    """``agrees(response, "post", "/loyalty-cards")``"""
    document = client.get("/openapi.json").json

    def check(response: Any, method: str, path: str) -> None:
        answers = document["paths"][f"/v1{path}"][method]["responses"]
        schema = answers[str(response.status_code)]["content"]["application/json"]["schema"]
        checker = Draft202012Validator.FORMAT_CHECKER
        Draft202012Validator({**schema, "components": document["components"]}, format_checker=checker).validate(
            response.json
        )
        assert set(response.json["meta"]) >= {"request_id"}

    return check


def test_every_answer_is_as_the_document_says(
    call: Call, agrees: Any, alex: int, insider: Callable[..., int], coffee_club: Callable[..., int]
) -> None:
    card, club = insider(points_expire_after_months=12), coffee_club()
    enroll, transact = "/loyalty-cards/{card_id}/enrollments", "/loyalty-cards/{card_id}/transactions"
    redeem = "/loyalty-cards/{card_id}/redemptions"
    stamp = "/stamp-cards/{stamp_card_id}/stamps"
    for path, sent in (
        ("/loyalty-cards", {"name": "Plain", "partner_location_id": 2}),
        ("/stamp-cards", {"name": "Tea Club", "partner_location_id": 2, "stamps_required_for_reward": 5}),
        (enroll, {"customer_id": alex}),
        (enroll, {"customer_id": alex}),
        (transact, SALE | {"reference": "POS-1"}),
        (transact, SALE | {"reference": "POS-1", "colour": "red"}),
        (transact, SALE | {"currency": "EUR"}),
        (transact, {}),
        (f"{transact}/preview", SALE),
        (f"{transact}/preview", SALE | {"currency": "EUR"}),
        (redeem, {"customer_id": alex, "points": 5, "reference": "POS-1"}),
        (redeem, {"customer_id": alex, "points": 5, "reference": "POS-1"}),
        (redeem, {"customer_id": alex, "points": 5000}),
        (stamp, SALE | {"quantity": 12, "reference": "POS-1"}),
        (stamp, SALE | {"quantity": 12, "reference": "POS-1"}),
    ):
        agrees(call("POST", path.format(card_id=card, stamp_card_id=club), sent), "post", path)
    one_card, one_club = "/loyalty-cards/{card_id}", "/stamp-cards/{stamp_card_id}"
    for path in ("/loyalty-cards", one_card, transact, redeem, "/stamp-cards", one_club):
        agrees(call("GET", path.format(card_id=card, stamp_card_id=club)), "get", path)
    for listing in ("/loyalty-cards", transact, redeem, "/stamp-cards"):
        agrees(call("GET", listing.format(card_id=card) + "?cursor="), "get", listing)
    agrees(call("GET", "/loyalty-cards/999999"), "get", one_card)
    row = call("GET", f"/loyalty-cards/{card}/transactions").json["data"][0]
    one_row = f"{transact}/{{transaction_id}}"
    agrees(call("GET", f"/loyalty-cards/{card}/transactions/{row['id']}"), "get", one_row)
    for order in ({"reference": "REF-1"}, {"reference": "REF-1"}, {}):
        reversal = call("POST", f"/loyalty-cards/{card}/transactions/{row['id']}/reverse", order)
        agrees(reversal, "post", f"{one_row}/reverse")


def test_every_answer_about_rewards_and_members_is_as_the_document_says(
    call: Call, agrees: Any, alex: int, insider: Callable[..., int]
) -> None:
    ids = {"card_id": insider()}
    one_card = "/loyalty-cards/{card_id}"
    one_member, one_reward = f"{one_card}/enrollments/{{enrollment_id}}", f"{one_card}/rewards/{{loyalty_reward_id}}"
    one_claim = f"{one_card}/claims/{{claim_id}}"

    def answered(method: str, path: str, sent: Any = None) -> Any:
        response = call(method.upper(), path.format(**ids), sent)
        agrees(response, method, path)
        return response.json.get("data")

    enrolled = answered("post", f"{one_card}/enrollments", {"customer_id": alex})
    ids["enrollment_id"] = enrolled["enrollment"]["id"]
    full = {"title": "Pastry", "description": "x", "points_cost": 5, "quantity": 9, "max_claims_per_customer": 8}
    answered("post", f"{one_card}/rewards", {"title": "Wave", "points_cost": 5})
    ids["loyalty_reward_id"] = answered("post", f"{one_card}/rewards", full | {"valid_until": "2999-01-01"})["id"]
    claims = [answered("post", f"{one_reward}/claim", {"customer_id": alex})["claim"]["id"] for _ in range(2)]
    for ids["claim_id"], action in ((claims[0], "fulfill"), (claims[1], "cancel")):
        for sent in ({"order_reference": "POS-1"}, {"order_reference": "POS-1"}):
            answered("post", f"{one_claim}/{action}", sent)
        answered("get", one_claim)
    for path in (f"{one_card}/enrollments", f"{one_card}/rewards", f"{one_card}/claims", one_member, one_reward):
        answered("get", path)
    for path, sent in ((one_card, {"name": "X"}), (one_member, {"status": "suspended"}), (one_reward, {"title": "X"})):
        answered("patch", path, sent)
