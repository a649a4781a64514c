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


def published(engine: Engine, tenant_id: int, event: str) -> Any:
    """The one event of its kind, as webhooks will send it."""
    query = text("select id, payload::json as data, created_at from outbox where tenant_id = :t and event = :event")
    with engine.connect() as connection:
        row = connection.execute(query, {"t": tenant_id, "event": event}).one()
    created_at = row.created_at.isoformat(timespec="seconds")
    return {"id": str(row.id), "event": event, "created_at": created_at, "sequence": 1, "data": row.data}


def assert_promised_to_the_last_key(envelope: Any) -> None:
    promised = contract(envelope["event"])
    promised.validate(envelope)
    for key in envelope["data"]:
        without = {name: value for name, value in envelope["data"].items() if name != key}
        assert not promised.is_valid({**envelope, "data": without}), key


@pytest.mark.parametrize(
    "more", [{}, {"name": "Alex Rivera", "phone": "+15551234567", "external_id": "crm-1", "metadata": {"tier": "gold"}}]
)
def test_a_new_customer_is_published_as_promised(call: Call, engine: Engine, tenant_id: int, more: Any) -> None:
    call("POST", "/customers", {"email": "alex@example.com", **more})
    assert_promised_to_the_last_key(published(engine, tenant_id, "customer.created"))


@pytest.mark.parametrize(
    "changes",
    [{"name": "Alex"}, {"email": "a@example.com", "phone": "+15551234567", "external_id": "1", "metadata": {"a": "b"}}],
)
def test_a_change_is_published_as_promised(call: Call, engine: Engine, tenant_id: int, changes: Any) -> None:
    customer = call("POST", "/customers", {"email": "alex@example.com"}).json["data"]
    call("PATCH", f"/customers/{customer['id']}", changes)
    envelope = published(engine, tenant_id, "customer.updated")
    assert_promised_to_the_last_key(envelope)
    assert set(envelope["data"]["changed"]) == set(changes)


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
