"""Erasing a customer: nothing of the person is left, and nothing is done twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, Engine, MetaData, Table, Text, select, text
from sqlalchemy.dialects.postgresql import JSONB

from loyalty_common import database
from loyalty_customers.domain import erasing

Call = Callable[..., Any]
ALEX = {
    "email": "alex.rivera@example.com",
    "name": "Alex Rivera",
    "phone": "+15551234567",
    "external_id": "crm-rivera",
    "metadata": {"nickname": "Rivi"},
}
TRACES = ("alex", "rivera", "rivi", "5551234567")


@pytest.fixture
def rows(engine: Engine, tenant_id: int) -> Callable[[str], list[Any]]:
    def read(query: str) -> list[Any]:
        with engine.connect() as connection:
            return list(connection.execute(text(query), {"t": tenant_id}))

    return read


@pytest.fixture
def relayed(engine: Engine, tenant_id: int) -> Callable[[], None]:
    """What waits in the outbox has left it."""

    def leave() -> None:
        with engine.begin() as connection:
            connection.execute(text("delete from outbox where tenant_id = :t"), {"t": tenant_id})

    return leave


def test_an_erased_customer_is_404_and_in_no_list_and_his_going_is_published_once(
    call: Call, rows: Callable[[str], list[Any]], relayed: Callable[[], None]
) -> None:
    customer = call("POST", "/customers", ALEX).json["data"]
    relayed()
    erased = call("DELETE", f"/customers/{customer['id']}")
    assert erased.status_code == 200
    assert list(erased.json["data"]) == ["id", "erased_at"]
    assert call("GET", f"/customers/{customer['id']}").status_code == 404
    assert call("GET", "/customers").json["meta"]["total"] == 0
    assert call("GET", "/customers?search=rivera").json["data"] == []
    [event] = rows("select event, version, payload::json as data from outbox where tenant_id = :t")
    assert (event.event, event.version) == ("customer.updated", 2)
    assert event.data["changed"] == ["erased_at"]
    assert event.data["erased_at"] == erased.json["data"]["erased_at"]
    assert event.data["customer"] == {"id": customer["id"], "name": None, "email": None, "phone": None}


def test_a_second_erasure_is_404_but_the_same_request_gets_its_answer_again(call: Call) -> None:
    customer_id = call("POST", "/customers", ALEX).json["data"]["id"]
    path = f"/customers/{customer_id}"
    first = call("DELETE", path, key="gdpr-1")
    again = call("DELETE", path, key="gdpr-1")
    assert (again.status_code, again.json["data"]) == (200, first.json["data"])
    assert again.headers["Idempotent-Replayed"] == "true"
    assert call("DELETE", path).status_code == 404
    assert call("DELETE", path, key="gdpr-2").status_code == 404


def test_the_gateways_repetition_gets_the_answer_too(call: Call) -> None:
    path = f"/customers/{call('POST', '/customers', ALEX).json['data']['id']}"
    headers = {"X-Loyalty-Request-Key": "attempt-1"}
    first = call("DELETE", path, headers=headers)
    assert call("DELETE", path, headers=headers).json["data"] == first.json["data"]


def test_nobody_elses_customer_is_erased(call: Call, tenant_id: int) -> None:
    customer_id = call("POST", "/customers", ALEX).json["data"]["id"]
    assert call("DELETE", f"/customers/{customer_id}", tenant=tenant_id + 1_000_000).status_code == 404
    assert call("DELETE", f"/customers/{customer_id + 1_000_000}").status_code == 404
    assert call("GET", f"/customers/{customer_id}").status_code == 200


def test_nothing_of_the_person_is_left_in_any_row(call: Call, rows: Callable[[str], list[Any]]) -> None:
    customer_id = call("POST", "/customers", ALEX, key="create").json["data"]["id"]
    call("POST", "/customers", {"email": ALEX["email"]}, key="find")
    call("POST", "/customers", {"email": "sam@example.com", "name": "Sam"}, key="sam")
    call("DELETE", f"/customers/{customer_id}")
    for table in ("customers", "idempotency", "outbox"):
        kept = " ".join(str(row) for row in rows(f"select * from {table} where tenant_id = :t")).lower()
        assert not [trace for trace in TRACES if trace in kept], (table, kept)
        assert "sam@example.com" in kept


def test_a_repeated_creation_creates_nobody_and_tells_nothing(call: Call, rows: Callable[[str], list[Any]]) -> None:
    customer = call("POST", "/customers", ALEX, key="create").json["data"]
    call("DELETE", f"/customers/{customer['id']}")
    again = call("POST", "/customers", ALEX, key="create")
    nulls = dict.fromkeys(("name", "email", "phone", "external_id"))
    assert (again.status_code, again.json["data"]) == (201, {**customer, **nulls, "metadata": {}})
    assert call("GET", "/customers").json["meta"]["total"] == 0


def test_the_email_is_free_again_once_the_event_has_left(call: Call, relayed: Callable[[], None]) -> None:
    first = call("POST", "/customers", ALEX).json["data"]
    call("DELETE", f"/customers/{first['id']}")
    assert call("POST", "/customers", ALEX).status_code == 503
    relayed()
    second = call("POST", "/customers", ALEX)
    assert (second.status_code, second.json["data"]["id"] != first["id"]) == (201, True)


def test_twenty_erasures_at_once_erase_once(call: Call, rows: Callable[[str], list[Any]]) -> None:
    path = f"/customers/{call('POST', '/customers', ALEX).json['data']['id']}"
    with ThreadPoolExecutor(20) as callers:
        answers = list(callers.map(lambda number: call("DELETE", path, key=f"k{number}"), range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] + [404] * 19
    assert len(rows("select 1 from outbox where tenant_id = :t and event = 'customer.updated'")) == 1


@pytest.mark.parametrize("round_", range(5))
def test_tills_that_ask_for_the_customer_while_he_is_erased_keep_nothing_of_him(
    call: Call, rows: Callable[[str], list[Any]], relayed: Callable[[], None], round_: int
) -> None:
    customer_id = call("POST", "/customers", ALEX).json["data"]["id"]
    start = threading.Barrier(9)

    def ask(till: int) -> Any:
        start.wait()
        return call("POST", "/customers", {"email": ALEX["email"]}, key=f"till-{till}")

    def erase() -> Any:
        start.wait()
        return call("DELETE", f"/customers/{customer_id}")

    with ThreadPoolExecutor(9) as pool:
        asked = [pool.submit(ask, till) for till in range(8)]
        assert pool.submit(erase).result().status_code == 200
        # Found before, or too early to be made anew.
        assert {answer.result().status_code for answer in asked} <= {200, 503}
    kept = " ".join(str(row) for row in rows("select * from idempotency where tenant_id = :t")).lower()
    assert not [trace for trace in TRACES if trace in kept]


def test_a_directory_that_asks_is_told_that_he_is_gone(
    call: Call, client: Any, identity_keys: Any, tenant_id: int
) -> None:
    customer_id = call("POST", "/customers", ALEX).json["data"]["id"]
    erased_at = call("DELETE", f"/customers/{customer_id}").json["data"]["erased_at"]
    token = identity_keys.signer("programs").mint("customers", tenant_id=tenant_id)
    headers = {"Authorization": f"Bearer {token}"}
    told = client.get(f"/internal/customers?customer_id={customer_id}", headers=headers).json["data"]
    assert told == {"customer": None, "customer_id": customer_id, "version": 2, "erased_at": erased_at}
    assert client.get(f"/internal/customers?email={ALEX['email']}", headers=headers).status_code == 404


def test_raw_rows_about_him_are_emptied_by_his_email_and_by_his_id(engine: Engine, tenant_id: int) -> None:
    table = Table(
        "raw",
        MetaData(),
        *(Column(name, BigInteger) for name in ("tenant_id", "row_number", "customer_id")),
        *(Column(name, kind) for name, kind in (("email_key", Text), ("content", Text), ("errors", JSONB))),
        prefixes=["TEMPORARY"],
    )
    keys = {1: (1042, None), 2: (None, "alex@example.com"), 3: (None, "sam@example.com"), 4: (1043, None)}
    said = {"tenant_id": tenant_id, "content": "Alex Rivera", "errors": {"phone": ["Alex has none."]}}
    with database.transaction(engine, tenant_id) as tx:
        table.create(tx.connection)
        rows = [
            {**said, "row_number": row, "customer_id": whose, "email_key": key} for row, (whose, key) in keys.items()
        ]
        tx.connection.execute(table.insert(), rows)
        erasing._empty(tx, table, customer_id=1042, email_key="alex@example.com")
        kept = tx.connection.execute(select(table).order_by(table.c.row_number)).all()
        table.drop(tx.connection)
    assert [row.row_number for row in kept if row.content or row.errors or row.email_key] == [3, 4]
