"""An erased customer leaves the log, whatever the order in which things arrive and whoever dies meanwhile."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from loyalty_common.messaging.message import Message
from loyalty_webhooks.consumers.events import handler
from loyalty_webhooks.domain import redacting
from loyalty_webhooks.domain.claiming import claim
from loyalty_webhooks.domain.intake import take_in
from loyalty_webhooks.domain.limits import LaneKey, Pool
from loyalty_webhooks.settings import Settings

Purchase = Callable[..., Message]
AT = "2026-06-01T09:00:00+00:00"
ALEX, SAM = 1042, 1043
NOBODY = {"name": None, "email": None, "phone": None}


def person(customer_id: int, name: str) -> dict[str, Any]:
    return {"id": customer_id, "name": name, "email": f"{name.lower()}@example.com", "phone": "+15551234567"}


@pytest.fixture
def sale(purchase: Purchase) -> Purchase:
    """``sale(ALEX)``: he bought something, and the till wrote that down."""

    def make(customer_id: int = ALEX, **fields: Any) -> Message:
        data = {"id": 502, "customer_id": customer_id, "points_delta": 2, "notes": "Nuts!"}
        return purchase(data={**data, "customer": person(customer_id, "Alex")}, **fields)

    return make


@pytest.fixture
def erasure(purchase: Purchase) -> Purchase:
    def make(customer_id: int = ALEX) -> Message:
        data = {"id": customer_id, **NOBODY, "customer": {"id": customer_id, **NOBODY}, "erased_at": AT}
        return purchase(event="customer.updated", publisher="customers", version=9, data=data)

    return make


@pytest.fixture
def log(engine: Engine, tenant_id: int) -> Callable[[], list[Any]]:
    """``data`` of the tenant's events in the order of the log."""
    query = text("select payload from webhook_events where tenant_id = :tenant order by sequence")

    def read() -> list[Any]:
        with engine.connect() as connection:
            return [json.loads(row.payload)["data"] for row in connection.execute(query, {"tenant": tenant_id})]

    return read


@pytest.fixture
def nobody_is_left(engine: Engine, tenant_id: int) -> Callable[[], bool]:
    """Whether every tombstone of the tenant says that it was carried out."""
    query = text("select bool_and(redacted_at is not null) from erased_customers where tenant_id = :tenant")

    def ask() -> bool:
        with engine.connect() as connection:
            return bool(connection.execute(query, {"tenant": tenant_id}).scalar_one())

    return ask


def is_redacted(data: Any) -> bool:
    clean = data["customer"] == {"id": ALEX, **NOBODY} and data["notes"] is None
    return clean and data["redacted"] is True and data["points_delta"] == 2


def test_stored_events_lose_the_person_and_keep_the_books(
    engine: Engine, sale: Purchase, erasure: Purchase, log: Any, nobody_is_left: Any
) -> None:
    handle = handler(engine)
    handle([sale(), sale(SAM)])
    handle([erasure()])
    his, sams, erased = log()
    assert is_redacted(his)
    assert sams["customer"] == person(SAM, "Alex")
    assert "redacted" not in sams
    assert "redacted" not in erased
    assert nobody_is_left()


def test_an_older_event_that_comes_late_is_stored_redacted(
    engine: Engine, sale: Purchase, erasure: Purchase, log: Any
) -> None:
    late = sale(created_at=datetime.now(UTC) - timedelta(minutes=5))
    handler(engine)([erasure()])
    handler(engine)([late])
    assert is_redacted(log()[1])


def test_within_one_batch_the_order_does_not_matter(
    engine: Engine, sale: Purchase, erasure: Purchase, log: Any
) -> None:
    handler(engine)([sale(), erasure(), sale()])
    assert [data["customer"]["name"] for data in log()] == [None] * 3


def test_another_tenants_customer_of_the_same_number_stays(
    engine: Engine, sale: Purchase, erasure: Purchase, log: Any, tenant_id: int
) -> None:
    handler(engine)([sale()])
    handler(engine)([Message(**{**_fields(erasure()), "tenant_id": tenant_id + 4_000_000})])
    assert log()[0]["customer"] == person(ALEX, "Alex")


def test_only_the_owner_of_customers_is_believed(engine: Engine, sale: Purchase, erasure: Purchase, log: Any) -> None:
    handler(engine)([sale(), Message(**{**_fields(erasure()), "publisher": "programs"})])
    assert log()[0]["customer"] == person(ALEX, "Alex")


@pytest.mark.parametrize("order", [(ALEX, SAM), (SAM, ALEX)])
@pytest.mark.parametrize("when", ["before", "between", "after"])
def test_of_two_people_in_one_event_each_is_taken_out_by_himself(
    engine: Engine, purchase: Purchase, erasure: Purchase, log: Any, order: tuple[int, int], when: str
) -> None:
    alex, sam = person(ALEX, "Alex"), person(SAM, "Sam")
    data = {"referral": {"id": 23}, "referrer": alex, "referred": sam, "customer": alex}
    told = [purchase(event="referral.completed", data=data)]
    first, second = [erasure(order[0])], [erasure(order[1])]
    batches = {"before": (told, first, second), "between": (first, told, second), "after": (first, second, told)}
    for batch in batches[when][:2]:
        handler(engine)(batch)
    if when != "after":
        [referral] = [data for data in log() if "referral" in data]
        assert (referral["referrer"]["name"] is None) == (order[0] == ALEX)
        assert (referral["referred"]["name"] is None) == (order[0] == SAM)
    handler(engine)(batches[when][2])
    [referral] = [data for data in log() if "referral" in data]
    assert [referral[who]["name"] for who in ("customer", "referrer", "referred")] == [None] * 3


def test_what_receivers_answered_goes_too_and_a_lease_ends_with_the_bytes_it_was_given_for(
    engine: Engine, call: Any, sale: Purchase, erasure: Purchase, tenant_id: int
) -> None:
    endpoint_id = call("POST", "/webhook-endpoints", {"url": "https://127.0.0.1/"}).json["data"]["id"]
    handler(engine)([sale()])
    with engine.begin() as connection:
        [delivery] = claim(connection, [LaneKey(tenant_id, endpoint_id)], Pool(1, Counter())).deliveries
        connection.execute(
            text("""
                insert into webhook_attempts (tenant_id, delivery_id, number, event_created_at, endpoint_id, started_at,
                    duration_ms, status_code, response_headers, response_body, response_truncated)
                values (:tenant_id, :delivery_id, 1, :at, :endpoint_id, now(), 5, 500,
                    '{"x-user": "Alex"}', 'Alex?', false)
            """),
            {"delivery_id": delivery.delivery_id, "at": delivery.event_created_at}
            | {"tenant_id": tenant_id, "endpoint_id": endpoint_id},
        )
    handler(engine)([erasure()])
    tenant = {"tenant": tenant_id}
    with engine.begin() as connection:
        attempt = connection.execute(text("select * from webhook_attempts where tenant_id = :tenant"), tenant).one()
        assert (attempt.response_headers, attempt.response_body, attempt.status_code) == ({}, None, 500)
        again = claim(connection, [LaneKey(tenant_id, endpoint_id)], Pool(64, Counter())).deliveries
        [redelivered] = [found for found in again if found.event_id == delivery.event_id]
        assert redelivered.claim_id != delivery.claim_id
        assert is_redacted(json.loads(redelivered.payload)["data"])


def test_a_person_of_many_batches_is_taken_out_of_all(
    engine: Engine, sale: Purchase, erasure: Purchase, log: Any, nobody_is_left: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redacting, "BATCH", 7)
    for _ in range(3):
        handler(engine)([sale() for _ in range(10)])
    handler(engine)([erasure()])
    assert all(is_redacted(data) for data in log()[:30])
    assert nobody_is_left()


REDACT = """
import os, signal, sys
from loyalty_common import database
from loyalty_webhooks.domain import redacting

redacting.BATCH = 10
batches = 0
as_before = redacting._redact_batch

def until_killed(connection, erased):
    global batches
    batches += 1
    done = as_before(connection, erased)
    if batches == 3:
        os.kill(os.getpid(), signal.SIGKILL)  # with the third batch written, but not committed
    return done

redacting._redact_batch = until_killed
redacting.redact(database.create_engine(sys.argv[1], pool_size=1, application_name="redact test"))
"""


def test_after_a_kill_the_work_goes_on_where_it_was_committed(
    engine: Engine, settings: Settings, sale: Purchase, erasure: Purchase, log: Any, nobody_is_left: Any
) -> None:
    with engine.begin() as connection:
        take_in(connection, [sale() for _ in range(50)])
        take_in(connection, [erasure()])  # Committed with its tombstone, and the process is gone.
    killed = subprocess.run([sys.executable, "-c", REDACT, settings.database_url], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert sum(is_redacted(data) for data in log()[:50] if "redacted" in data) == 20
    assert not nobody_is_left()
    assert redacting.redact(engine) == 30
    assert all(is_redacted(data) for data in log()[:50])
    assert nobody_is_left()


def test_events_that_arrive_while_the_person_is_erased_are_clean_in_the_end(
    engine: Engine, sale: Purchase, erasure: Purchase, log: Any
) -> None:
    start = threading.Barrier(9)

    def bring(messages: list[Message]) -> None:
        start.wait()
        handler(engine)(messages)

    batches = [[sale() for _ in range(20)] for _ in range(8)] + [[erasure()]]
    threads = [threading.Thread(target=bring, args=(batch,)) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(log()) == 161
    assert {data["customer"]["name"] for data in log()} == {None}


def _fields(message: Message) -> dict[str, Any]:
    return {name: getattr(message, name) for name in Message.__slots__}
