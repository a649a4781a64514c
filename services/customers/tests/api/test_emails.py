"""An e-mail passes from one customer to another only when everybody can know that it did."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, text

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


def test_what_waits_is_no_trace_of_the_person_and_concerns_one_tenant_and_one_email(
    call: Call, engine: Engine, tenant_id: int, let_it_leave: Callable[[], None]
) -> None:
    with engine.connect() as connection:
        [row] = connection.execute(text("select * from outbox where tenant_id = :t"), {"t": tenant_id})
    assert "alex" not in str(row)
    assert call("POST", "/customers", ALEX, tenant=tenant_id + 1_000_000).status_code == 201
    assert call("POST", "/customers", {**ALEX, "email": "sam@example.com"}).status_code == 201
