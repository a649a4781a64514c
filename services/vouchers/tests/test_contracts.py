"""Every event that this service emits satisfies its contract, as it will be delivered."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import Engine, text

Call = Callable[..., Any]
EVENTS = Path(__file__).parents[3] / "contracts/events"
CONTRACTS = {
    event: json.loads((EVENTS / f"{event}.json").read_text()) for event in ("voucher.redeemed", "customer.updated")
}
VALIDATORS = {
    event: Draft202012Validator(contract, format_checker=Draft202012Validator.FORMAT_CHECKER)
    for event, contract in CONTRACTS.items()
}


def delivered(engine: Engine, tenant_id: int) -> list[Any]:
    with engine.connect() as connection:
        emitted = connection.execute(
            text("select id, event, payload::json as data, created_at from outbox where tenant_id = :tenant_id"),
            {"tenant_id": tenant_id},
        )
        return [
            {
                "id": str(row.id),
                "event": row.event,
                "created_at": row.created_at.isoformat(timespec="seconds"),
                "sequence": 1,
                "data": row.data,
            }
            for row in emitted
        ]


@pytest.mark.parametrize("event", CONTRACTS)
def test_the_contract_is_a_schema_and_its_example_satisfies_it(event: str) -> None:
    Draft202012Validator.check_schema(CONTRACTS[event])
    for example in CONTRACTS[event]["examples"]:
        VALIDATORS[event].validate(example)


@pytest.mark.parametrize(
    ("voucher_settings", "sent"),
    [
        ({}, {}),
        ({}, {"order_reference": "POS-88423", "partner_location_id": 2, "notes": "In-store checkout"}),
        ({"discount_type": "fixed", "discount_value": "1.234", "currency": "KWD"}, {"order_amount": "4.567"}),
        ({"discount_value": "0.01", "currency": "JPY"}, {"order_amount": 1}),
    ],
)
def test_every_redemption_is_published_as_promised(
    voucher_settings: dict[str, Any],
    sent: dict[str, Any],
    new_voucher: Call,
    redeem: Call,
    engine: Engine,
    tenant_id: int,
) -> None:
    assert redeem(new_voucher(**voucher_settings), **sent).status_code == 201
    [event] = delivered(engine, tenant_id)
    VALIDATORS["voucher.redeemed"].validate(event)


def test_a_customer_of_whom_only_the_address_is_known_is_published_too(
    new_voucher: Call, redeem: Call, know: Call, person: Call, engine: Engine, tenant_id: int
) -> None:
    know(person(id=7, email="sam@example.com", name=None, phone=None))
    redeem(new_voucher(), customer_id=7)
    [event] = delivered(engine, tenant_id)
    VALIDATORS["voucher.redeemed"].validate(event)


@pytest.mark.parametrize("known", [{}, {"name": None, "phone": None, "external_id": "crm-7", "metadata": {"a": "b"}}])
def test_every_rollback_is_published_as_promised(
    known: dict[str, Any],
    new_voucher: Call,
    redeem: Call,
    call: Call,
    know: Call,
    person: Call,
    engine: Engine,
    tenant_id: int,
) -> None:
    know(person(id=7, email="sam@example.com", **known))
    redemption = redeem(new_voucher(), customer_id=7, order_reference="POS-1").json["data"]
    call("POST", f"/vouchers/{redemption['voucher_id']}/redemptions/{redemption['id']}/rollback")
    [event] = [event for event in delivered(engine, tenant_id) if event["event"] == "customer.updated"]
    VALIDATORS["customer.updated"].validate(event)
    for key in ("voucher_redemption", "customer", "changed", "created_at"):
        without = {name: value for name, value in event["data"].items() if name != key}
        assert not VALIDATORS["customer.updated"].is_valid({**event, "data": without}), key


def test_a_missing_key_would_be_noticed(new_voucher: Call, redeem: Call, engine: Engine, tenant_id: int) -> None:
    redeem(new_voucher())
    [event] = delivered(engine, tenant_id)
    for key in list(event["data"]):
        without = {name: value for name, value in event["data"].items() if name != key}
        assert not VALIDATORS["voucher.redeemed"].is_valid({**event, "data": without}), key
