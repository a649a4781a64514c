"""Every event that this service causes satisfies its contract, as it is delivered."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import Row

Call = Callable[..., Any]
CONTRACTS = Path(__file__).parents[3] / "contracts/events"
OURS = [
    "loyalty.enrolled",
    "loyalty.points_earned",
    "loyalty.points_redeemed",
    "loyalty.reward_claimed",
    "referral.completed",
    "stamp.issued",
    "stamp.reward_fulfilled",
]


def contract(event: str) -> Any:
    schema = json.loads((CONTRACTS / f"{event}.json").read_text())
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


@pytest.mark.parametrize("event", OURS)
def test_a_contract_is_a_schema_and_its_example_satisfies_it(event: str) -> None:
    validator = contract(event)
    validator.check_schema(validator.schema)
    for example in validator.schema["examples"]:
        validator.validate(example)


@pytest.fixture
def delivered(
    call: Call,
    alex: int,
    insider: Callable[..., int],
    coffee_club: Callable[..., int],
    sam: int,
    bring_a_friend: Callable[..., dict[str, Any]],
    refer: Callable[..., dict[str, Any]],
    rows: Callable[[str], list[Row[Any]]],
) -> list[dict[str, Any]]:
    """Everything that this service can cause, with and without what is optional."""
    card, welcoming, club = insider(), insider(auto_enroll=True, points_expire_after_months=12), coffee_club()
    rewards = f"/loyalty-cards/{card}/rewards"
    pastry = call("POST", rewards, {"title": "Free pastry", "points_cost": 5}).json["data"]["id"]
    sale = {"customer_id": alex, "amount": 24.50, "currency": "USD"}
    told = {"reference": "POS-1", "partner_location_id": 2, "notes": "Counter sale"}
    for path, sent in (
        (f"/loyalty-cards/{card}/enrollments", {"customer_id": alex}),
        (f"/loyalty-cards/{insider(initial_bonus_points=0)}/enrollments", {"customer_id": alex}),
        (f"/loyalty-cards/{card}/transactions", sale),
        (f"/loyalty-cards/{welcoming}/transactions", sale | told),
        (f"/loyalty-cards/{card}/transactions", {"customer_id": alex, "points": 10}),
        (f"/loyalty-cards/{card}/transactions", {"customer_id": alex, "points": -10}),
        (f"/loyalty-cards/{card}/redemptions", {"customer_id": alex, "points": 10}),
        (f"/loyalty-cards/{card}/redemptions", {"customer_id": alex, "points": 10} | told),
        (f"{rewards}/{pastry}/claim", {"customer_id": alex}),
        (f"{rewards}/{pastry}/claim", {"customer_id": alex, "partner_location_id": 2, "notes": "With cream"}),
        (f"/stamp-cards/{club}/stamps", {"customer_id": alex}),
        (f"/stamp-cards/{club}/stamps", sale | told | {"quantity": 19}),
    ):
        assert call("POST", path, sent).status_code == 201
    for row in call("GET", f"/loyalty-cards/{card}/transactions").json["data"]:
        if row["reward_claim_id"] is not None:
            continue
        assert call("POST", f"/loyalty-cards/{card}/transactions/{row['id']}/reverse").status_code == 201
    _end_and_suspend(call, card)
    program = bring_a_friend([{"type": "enrolled"}, {"type": "custom", "referrer_points": 0, "referred_points": 0}])
    referral = refer(program, alex, sam)
    call("POST", f"/loyalty-cards/{program['loyalty_card_id']}/enrollments", {"customer_id": sam})
    assert call("POST", f"/referral-programs/{program['id']}/referrals/{referral['id']}/complete").status_code == 200
    [reward, _] = call("GET", f"/stamp-cards/{club}/rewards").json["data"]
    [*_, stamp] = call("GET", f"/stamp-cards/{club}/stamps").json["data"]
    for path, sent in (
        (f"/stamp-cards/{club}/rewards/{reward['id']}/fulfill", {"order_reference": "POS-2", "partner_location_id": 2}),
        (f"/stamp-cards/{club}/stamps/{stamp['id']}/reverse", None),
    ):
        assert call("POST", path, sent).status_code in (200, 201)
    published = rows("select id, event, created_at, payload::json as data from outbox where tenant_id = :tenant_id")
    return [
        {
            "id": str(row.id),
            "event": row.event,
            "created_at": row.created_at.isoformat(timespec="seconds"),
            "sequence": sequence,
            "data": row.data,
        }
        for sequence, row in enumerate(published, start=1)
    ]


def _end_and_suspend(call: Call, card: int) -> None:
    """What ends without bringing anything into being."""
    claim = call("GET", f"/loyalty-cards/{card}/claims").json["data"][0]["id"]
    assert call("POST", f"/loyalty-cards/{card}/claims/{claim}/cancel").status_code == 200
    member = call("GET", f"/loyalty-cards/{card}/enrollments").json["data"][0]["id"]
    assert call("PATCH", f"/loyalty-cards/{card}/enrollments/{member}", {"status": "suspended"}).status_code == 200


def test_every_event_is_as_promised(delivered: list[dict[str, Any]]) -> None:
    assert {event["event"] for event in delivered} == {*OURS, "customer.updated"}
    for event in delivered:
        contract(event["event"]).validate(event)


def test_a_contract_misses_every_key_that_is_taken_away(delivered: list[dict[str, Any]]) -> None:
    for event in delivered:
        for key in event["data"]:
            data = {name: value for name, value in event["data"].items() if name != key}
            assert not contract(event["event"]).is_valid({**event, "data": data}), (event["event"], key)
