import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import Engine, text

Call = Callable[..., Any]
CONTRACTS = Path(__file__).parents[3] / "contracts/events"


def contract(event: str) -> Any:
    schema = json.loads((CONTRACTS / f"{event}.json").read_text())
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


@pytest.mark.parametrize("event", ["customer.created", "customer.updated"])
def test_a_contract_is_a_schema_and_its_example_satisfies_it(event: str) -> None:
    validator = contract(event)
    validator.check_schema(validator.schema)
    for example in validator.schema["examples"]:
        validator.validate(example)


@pytest.mark.parametrize(
    "more", [{}, {"name": "Alex Rivera", "phone": "+15551234567", "external_id": "crm-1", "metadata": {"tier": "gold"}}]
)
def test_a_new_customer_is_published_as_promised(call: Call, engine: Engine, tenant_id: int, more: Any) -> None:
    call("POST", "/customers", {"email": "alex@example.com", **more})
    with engine.connect() as connection:
        query = text("select id, event, payload::json as data, created_at from outbox where tenant_id = :tenant_id")
        row = connection.execute(query, {"tenant_id": tenant_id}).one()
    envelope = {
        "id": str(row.id),
        "event": row.event,
        "created_at": row.created_at.isoformat(timespec="seconds"),
        "sequence": 1,
        "data": row.data,
    }
    contract("customer.created").validate(envelope)
    for key in row.data:
        without = {name: value for name, value in row.data.items() if name != key}
        assert not contract("customer.created").is_valid({**envelope, "data": without}), key


def test_an_erasure_and_what_it_was_taken_out_of_are_published_as_promised(
    call: Call, engine: Engine, tenant_id: int
) -> None:
    customer = call("POST", "/customers", {"email": "alex@example.com", "name": "Alex Rivera"}).json["data"]
    call("DELETE", f"/customers/{customer['id']}")
    with engine.connect() as connection:
        query = text("select * from outbox where tenant_id = :tenant_id order by version")
        created, erased = connection.execute(query, {"tenant_id": tenant_id})
    for row, event in ((created, "customer.created"), (erased, "customer.updated")):
        envelope = {"id": str(row.id), "event": row.event, "created_at": row.created_at.isoformat(), "sequence": 1}
        contract(event).validate({**envelope, "data": json.loads(row.payload)})
    assert json.loads(created.payload)["redacted"] is True
    assert "redacted" not in json.loads(erased.payload)
