"""How events come in."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, text

from loyalty_common.messaging.message import Message
from loyalty_testing.keys import IdentityKeys
from loyalty_webhooks.consumers.events import handler
from loyalty_webhooks.settings import Settings

Call = Callable[..., Any]
Purchase = Callable[..., Message]
URL = "https://127.0.0.1/"


@pytest.fixture
def log(engine: Engine, tenant_id: int) -> Callable[[], list[Any]]:
    """The tenant's events in the order of the log."""

    def read() -> list[Any]:
        with engine.connect() as connection:
            return list(
                connection.execute(
                    text("select * from webhook_events where tenant_id = :tenant order by sequence"),
                    {"tenant": tenant_id},
                )
            )

    return read


@pytest.fixture
def owed(engine: Engine, tenant_id: int) -> Callable[[], list[tuple[UUID, int]]]:
    """(event, endpoint) of the tenant's deliveries; each of them is also in the queue."""

    def read() -> list[tuple[UUID, int]]:
        with engine.connect() as connection:
            return [
                (row.event_id, row.endpoint_id)
                for row in connection.execute(
                    text("""
                        select d.event_id, d.endpoint_id from webhook_deliveries d
                          join delivery_queue q on q.tenant_id = d.tenant_id and q.delivery_id = d.id
                         where d.tenant_id = :tenant order by d.id
                    """),
                    {"tenant": tenant_id},
                )
            ]

    return read


def test_an_event_gets_its_number_and_its_bytes(engine: Engine, purchase: Purchase, log: Callable[[], Any]) -> None:
    message = purchase(created_at=datetime(2026, 5, 16, 12, 0, 0, 250_000, tzinfo=UTC))
    handler(engine)([message])
    (event,) = log()
    assert (event.id, event.sequence, event.event) == (message.id, 1, "loyalty.points_earned")
    assert list(json.loads(event.payload)) == ["id", "event", "created_at", "sequence", "data"]
    assert json.loads(event.payload) == {
        "id": str(message.id),
        "event": "loyalty.points_earned",
        "created_at": "2026-05-16T12:00:00+00:00",
        "sequence": 1,
        "data": message.data,
    }


def test_every_endpoint_that_wants_the_event_is_owed_it(
    engine: Engine, call: Call, purchase: Purchase, owed: Callable[[], Any]
) -> None:
    def endpoint(**fields: Any) -> int:
        made: int = call("POST", "/webhook-endpoints", {"url": URL, **fields}).json["data"]["id"]
        return made

    everything = endpoint()
    points = endpoint(events=["voucher.redeemed", "loyalty.points_earned"])
    endpoint(events=["voucher.redeemed"])
    endpoint(is_active=False)
    call("DELETE", f"/webhook-endpoints/{endpoint()}")
    message = purchase()
    handler(engine)([message])
    assert sorted(owed()) == sorted([(message.id, everything), (message.id, points)])


def test_another_organizations_endpoint_is_owed_nothing(
    engine: Engine, call: Call, purchase: Purchase, tenant_id: int, owed: Callable[[], Any]
) -> None:
    call("POST", "/webhook-endpoints", {"url": URL})
    handler(engine)([purchase(tenant_id=tenant_id + 1_000_000)])
    assert owed() == []


def test_a_message_that_comes_again_changes_nothing(
    engine: Engine, call: Call, purchase: Purchase, log: Callable[[], Any], owed: Callable[[], Any]
) -> None:
    call("POST", "/webhook-endpoints", {"url": URL})
    message = purchase()
    handler(engine)([message, message])
    handler(engine)([message])
    assert len(log()) == len(owed()) == 1


def test_the_same_event_a_hundred_times_at_once_is_owed_once_per_endpoint(
    engine: Engine, call: Call, purchase: Purchase, log: Callable[[], Any], owed: Callable[[], Any]
) -> None:
    for _ in range(3):
        call("POST", "/webhook-endpoints", {"url": URL})
    message = purchase()
    threads = [threading.Thread(target=handler(engine), args=([message, purchase()],)) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([pair for pair in owed() if pair[0] == message.id]) == 3
    assert [event.sequence for event in log()] == list(range(1, 102))


def test_within_a_batch_what_happened_first_comes_first(
    engine: Engine, purchase: Purchase, log: Callable[[], Any]
) -> None:
    noon = datetime.now(UTC)
    later, earlier = purchase(created_at=noon), purchase(created_at=noon - timedelta(seconds=1))
    handler(engine)([later, earlier])
    assert [event.id for event in log()] == [earlier.id, later.id]


def test_what_is_for_the_suite_alone_is_not_logged(engine: Engine, purchase: Purchase, log: Callable[[], Any]) -> None:
    handler(engine)([purchase(event="internal.location_updated")])
    assert log() == []


INTAKE = """
import sys, uuid
from datetime import UTC, datetime
from loyalty_common import database
from loyalty_common.messaging.message import Message
from loyalty_webhooks.consumers.events import handler

url, tenants, shared = sys.argv[1], [int(t) for t in sys.argv[2].split(",")], sys.argv[3].split(",")
handle = handler(database.create_engine(url, pool_size=1, application_name="intake test"))

def stamp(tenant_id, message_id):
    return Message(message_id, "stamp.issued", "programs", tenant_id, None, datetime.now(UTC), {"id": 1})

for batch in range(20):
    own = [stamp(tenant_id, uuid.uuid4()) for tenant_id in tenants for _ in range(5)]
    handle(own + [stamp(tenants[0], uuid.UUID(text)) for text in shared[batch * 5 : batch * 5 + 5]])
"""


def test_numbers_have_no_gaps_when_several_processes_take_in(
    settings: Settings, tenant_id: int, log: Callable[[], Any]
) -> None:
    tenants = f"{tenant_id},{tenant_id + 2_000_000},{tenant_id + 3_000_000}"
    shared = ",".join(str(uuid4()) for _ in range(100))
    command = [sys.executable, "-c", INTAKE, settings.database_url, tenants, shared]
    processes = [subprocess.Popen(command) for _ in range(4)]
    assert [process.wait(60) for process in processes] == [0] * 4
    # 4 processes × 20 batches × 5 messages of their own, and 100 that all of them brought.
    assert [event.sequence for event in log()] == list(range(1, 501))


@pytest.fixture
def relay(client: Any, identity_keys: IdentityKeys) -> Callable[..., Any]:
    """Posts documents to ``/internal/events`` as the relay of programs does."""
    headers = {"Authorization": f"Bearer {identity_keys.signer('programs').mint('webhooks')}"}
    return lambda messages: client.post("/internal/events", json={"messages": messages}, headers=headers)


def test_events_come_over_http_into_the_same_log(
    relay: Callable[..., Any], purchase: Purchase, log: Callable[[], Any]
) -> None:
    good = purchase()
    unreadable = {"id": str(uuid4()), "event": "loyalty.points_earned"}
    answer = relay([json.loads(good.to_json()), unreadable])
    assert answer.status_code == 200
    assert [each["id"] for each in answer.json["data"]["rejected"]] == [unreadable["id"]]
    assert [event.id for event in log()] == [good.id]


@pytest.mark.parametrize("name", ["voucher.redeemed\r\nX-Forged: 1", "Stamp.Issued", "stamp", "stempel.gültig", ""])
def test_a_name_that_no_header_can_carry_is_rejected_alone(
    relay: Callable[..., Any], purchase: Purchase, log: Callable[[], Any], name: str
) -> None:
    good, bad = purchase(), purchase(event=name)
    answer = relay([json.loads(message.to_json()) for message in (bad, good)])
    assert answer.json["data"]["rejected"] == [{"id": str(bad.id), "error": "MalformedMessage"}]
    assert [(event.id, event.sequence) for event in log()] == [(good.id, 1)]


@pytest.mark.parametrize("messages", [None, {}, [{}] * 201])
def test_what_is_no_batch_is_refused(relay: Callable[..., Any], messages: Any) -> None:
    assert relay(messages).status_code == 400


def test_only_services_may_bring_events(client: Any, gateway_token: Callable[..., str]) -> None:
    gateway = {"Authorization": f"Bearer {gateway_token('webhooks')}"}
    assert client.post("/internal/events", json={"messages": []}, headers=gateway).status_code == 401
    assert client.post("/internal/events", json={"messages": []}).status_code == 401
