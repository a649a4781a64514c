"""Every event that this service emits satisfies its contract, as it will be delivered."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import Engine, text

Call = Callable[..., Any]
CONTRACT = json.loads((Path(__file__).parents[3] / "contracts/events/voucher.redeemed.json").read_text())
VALIDATOR = Draft202012Validator(CONTRACT, format_checker=Draft202012Validator.FORMAT_CHECKER)


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


def test_the_contract_is_a_schema_and_its_example_satisfies_it() -> None:
    Draft202012Validator.check_schema(CONTRACT)
    for example in CONTRACT["examples"]:
        VALIDATOR.validate(example)


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
    VALIDATOR.validate(event)


def test_a_customer_of_whom_only_the_address_is_known_is_published_too(
    new_voucher: Call, redeem: Call, know: Call, person: Call, engine: Engine, tenant_id: int
) -> None:
    know(person(id=7, email="sam@example.com", name=None, phone=None))
    redeem(new_voucher(), customer_id=7)
    [event] = delivered(engine, tenant_id)
    VALIDATOR.validate(event)


def test_a_missing_key_would_be_noticed(new_voucher: Call, redeem: Call, engine: Engine, tenant_id: int) -> None:
    redeem(new_voucher())
    [event] = delivered(engine, tenant_id)
    for key in list(event["data"]):
        without = {name: value for name, value in event["data"].items() if name != key}
        assert not VALIDATOR.is_valid({**event, "data": without}), key
