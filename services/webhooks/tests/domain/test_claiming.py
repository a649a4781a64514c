"""What is due is shared out: to one sender each, in turns, within limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from loyalty_common.messaging.message import Message
from loyalty_webhooks.consumers.events import handler
from loyalty_webhooks.domain.claiming import Lane, claim, lanes_with_due_work, reap

Owe = Callable[..., list[Lane]]


@pytest.fixture
def owe(engine: Engine, call: Callable[..., Any], purchase: Callable[..., Message], tenant_id: int) -> Owe:
    """``owe(3, endpoints=2)``: as many endpoints are owed three deliveries each; their lanes."""

    def create(count: int, *, endpoints: int = 1) -> list[Lane]:
        made = [
            call("POST", "/webhook-endpoints", {"url": "https://127.0.0.1/"}).json["data"]["id"]
            for _ in range(endpoints)
        ]
        handler(engine)([purchase() for _ in range(count)])
        return [Lane(tenant_id, endpoint_id, 32) for endpoint_id in made]

    return create


def claimed_by(connection: Connection, lanes: list[tuple[Lane, int]], *, batch: int = 64) -> dict[int, int]:
    """How many deliveries of each endpoint were claimed."""
    return dict(Counter(delivery.endpoint_id for delivery in claim(connection, lanes, batch=batch)))


def test_endpoints_with_due_work_are_found_behind_a_backlog(engine: Engine, owe: Owe, tenant_id: int) -> None:
    lanes = owe(50, endpoints=3)
    with engine.connect() as connection:
        found = lanes_with_due_work(connection, after=(tenant_id, 0))
        assert found[:3] == lanes
        assert lanes_with_due_work(connection, after=(tenant_id, lanes[0].endpoint_id))[:2] == lanes[1:]


def test_what_is_not_due_yet_and_who_is_not_active_is_left_alone(engine: Engine, owe: Owe, tenant_id: int) -> None:
    later, paused = owe(3, endpoints=2)
    with engine.connect() as connection:
        connection.execute(
            text("update delivery_queue set next_attempt_at = now() + interval '1 s' where endpoint_id = :id"),
            {"id": later.endpoint_id},
        )
        connection.execute(
            text("update webhook_endpoints set is_active = false where id = :id"), {"id": paused.endpoint_id}
        )
        found = lanes_with_due_work(connection, after=(tenant_id, 0))
        assert not {later, paused} & set(found)
        assert claimed_by(connection, [(later, 32)]) == {}


def test_endpoints_take_turns(engine: Engine, owe: Owe) -> None:
    first, second, third = owe(40, endpoints=3)
    with engine.connect() as connection:
        claimed = claimed_by(connection, [(first, 32), (second, 32), (third, 32)], batch=12)
    assert claimed == {lane.endpoint_id: 4 for lane in (first, second, third)}


def test_the_limit_counts_what_others_hold(engine: Engine, owe: Owe) -> None:
    (lane,) = owe(20)
    with engine.connect() as connection:
        assert claimed_by(connection, [(lane, 5)]) == {lane.endpoint_id: 5}
        assert claimed_by(connection, [(lane, 8)]) == {lane.endpoint_id: 3}
        assert claimed_by(connection, [(lane, 4)]) == {}


def test_an_endpoint_that_another_sender_is_claiming_is_passed_over(engine: Engine, owe: Owe) -> None:
    busy, free = owe(10, endpoints=2)
    with engine.connect() as one, engine.connect() as other:
        assert claimed_by(one, [(busy, 4)]) == {busy.endpoint_id: 4}
        assert claimed_by(other, [(busy, 4), (free, 4)]) == {free.endpoint_id: 4}


def test_the_oldest_due_delivery_goes_first(engine: Engine, owe: Owe) -> None:
    (lane,) = owe(5)
    with engine.connect() as connection:
        connection.execute(
            text("""
                update delivery_queue set next_attempt_at = now() - interval '1 h' where delivery_id =
                    (select max(delivery_id) from delivery_queue where endpoint_id = :id) returning delivery_id
            """),
            {"id": lane.endpoint_id},
        )
        latest = connection.execute(
            text("select max(delivery_id) from delivery_queue where endpoint_id = :id"), {"id": lane.endpoint_id}
        ).scalar_one()
        assert [delivery.delivery_id for delivery in claim(connection, [(lane, 1)], batch=64)] == [latest]


def test_only_leases_that_ran_out_are_given_back(engine: Engine, owe: Owe) -> None:
    (lane,) = owe(3)
    with engine.connect() as connection:
        first, second = claim(connection, [(lane, 2)], batch=64)
        connection.execute(
            text("update delivery_queue set lease_until = now() - interval '1 s' where delivery_id = :id"),
            {"id": first.delivery_id},
        )
        assert reap(connection) >= 1
        held = connection.execute(
            text("select delivery_id from delivery_queue where endpoint_id = :id and claim_id is not null"),
            {"id": lane.endpoint_id},
        ).scalars()
        assert list(held) == [second.delivery_id]
