"""An e-mail passes from one customer to another only when everybody can know that it did."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, text

from loyalty_common.database import transaction
from loyalty_common.messaging.outbox import outbox_row
from loyalty_common.record import Record
from loyalty_customers.domain import emails
from loyalty_customers.models import outbox

Call = Callable[..., Any]
ALEX = {"email": "alex@example.com", "name": "Alex Rivera"}
_GIVE_UP = Record(inserts=(outbox,))


@pytest.fixture
def let_it_leave(engine: Engine, tenant_id: int) -> Callable[[], None]:
    """An event in the outbox with which somebody gives ALEX's e-mail up; called, it has left."""
    row = outbox_row(event="customer.updated", data={"id": 10**9}, created_at=datetime.now(UTC), version=2)
    with transaction(engine, tenant_id) as tx:
        _GIVE_UP.write(tx, {outbox: [{**row, **emails.freed("Alex@Example.com")}]})

    def leave() -> None:
        with engine.begin() as connection:
            connection.execute(text("delete from outbox where id = :id"), {"id": row["id"]})

    return leave


def test_a_given_up_email_is_nobody_elses_until_the_event_has_left(
    call: Call, let_it_leave: Callable[[], None]
) -> None:
    early = call("POST", "/customers", ALEX, key="till-7")
    assert (early.status_code, early.headers["Retry-After"]) == (503, "1")
    assert early.json["error"]["code"] == "unavailable"
    assert call("GET", "/customers").json["meta"]["total"] == 0
    let_it_leave()
    assert call("POST", "/customers", ALEX, key="till-7").status_code == 201


@pytest.fixture
def someone(call: Call) -> Callable[[str], str]:
    """``someone("alex")``: the path of a new customer alex@example.com."""
    return lambda name: f"/customers/{call('POST', '/customers', {'email': f'{name}@example.com'}).json['data']['id']}"


@pytest.fixture
def relay(engine: Engine, tenant_id: int) -> Callable[[], None]:
    """Lets everything leave that waits in the outbox."""

    def empty() -> None:
        with engine.begin() as connection:
            connection.execute(text("delete from outbox where tenant_id = :t"), {"t": tenant_id})

    return empty


def test_who_changes_his_email_passes_it_on_once_that_is_out(
    call: Call, someone: Callable[[str], str], relay: Callable[[], None]
) -> None:
    alex, sam = someone("alex"), someone("sam")
    assert call("PATCH", alex, {"email": "rivera@example.com"}).status_code == 200
    for refused in (call("PATCH", sam, {"email": "Alex@example.com"}), call("POST", "/customers", ALEX)):
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert call("GET", sam).json["data"]["email"] == "sam@example.com"
    relay()
    assert call("PATCH", sam, {"email": "Alex@example.com"}).status_code == 200
    assert call("POST", "/customers", {"email": "sam@example.com"}).status_code == 503


def test_nobody_waits_for_an_email_that_was_never_anybody_elses(
    call: Call, someone: Callable[[str], str], relay: Callable[[], None]
) -> None:
    alex = someone("alex")
    for email in ("rivera@example.com", "alex@example.com", "ALEX@example.com", "rivera@example.com"):
        assert call("PATCH", alex, {"email": email}).status_code == 200
    assert call("PATCH", alex, {"name": "Alex"}).status_code == 200
    assert call("POST", "/customers", {"email": "rivera@example.com"}).status_code == 200
    relay()
    assert call("PATCH", alex, {"email": "Rivera@example.com"}).status_code == 200
    assert call("POST", "/customers", ALEX).status_code == 201


def test_an_email_that_passed_through_many_hands_waits_for_all_of_them(
    call: Call, engine: Engine, tenant_id: int, someone: Callable[[str], str]
) -> None:
    alex = someone("alex")
    call("PATCH", alex, {"email": "one@example.com"})
    call("PATCH", alex, {"email": "two@example.com"})
    assert call("POST", "/customers", {"email": "one@example.com"}).status_code == 503
    with engine.begin() as connection:
        connection.execute(text("delete from outbox where tenant_id = :t and version = 2"), {"t": tenant_id})
    assert call("POST", "/customers", ALEX).status_code == 201
    assert call("POST", "/customers", {"email": "one@example.com"}).status_code == 503


def test_an_email_that_is_taken_and_given_up_while_another_is_decided_on_waits_too(
    call: Call, client: FlaskClient, someone: Callable[[str], str]
) -> None:
    """Between what a request loads and what it records, somebody has had the address."""
    alex, interposed = someone("alex"), []

    def interpose(_c: Any, _s: Any, statement: str, *_: Any) -> None:
        if "insert_customers" in statement and not interposed:
            interposed.append(statement)
            call("PATCH", alex, {"email": "vip@example.com"})
            call("PATCH", alex, {"email": "alex@example.com"})

    serving = client.application.extensions["engine"]
    event.listen(serving, "before_cursor_execute", interpose)
    answer = call("POST", "/customers", {"email": "vip@example.com"})
    event.remove(serving, "before_cursor_execute", interpose)
    assert interposed
    assert answer.status_code == 503


def test_what_waits_is_no_trace_of_the_person_and_concerns_one_tenant_and_one_email(
    call: Call, engine: Engine, tenant_id: int, let_it_leave: Callable[[], None]
) -> None:
    with engine.connect() as connection:
        [row] = connection.execute(text("select * from outbox where tenant_id = :t"), {"t": tenant_id})
    assert "alex" not in str(row)
    assert call("POST", "/customers", ALEX, tenant=tenant_id + 1_000_000).status_code == 201
    assert call("POST", "/customers", {**ALEX, "email": "sam@example.com"}).status_code == 201
