"""What is due is shared out: to one sender each, in turns, within limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from loyalty_common.messaging.message import Message
from loyalty_webhooks.consumers.events import handler
from loyalty_webhooks.domain.claiming import claim, reap
from loyalty_webhooks.domain.lanes import with_due_work
from loyalty_webhooks.domain.limits import LaneKey, Pool, Slot

Owe = Callable[..., list[LaneKey]]
BIG = 64


@pytest.fixture
def owe(engine: Engine, call: Callable[..., Any], purchase: Callable[..., Message], tenant_id: int) -> Owe:
    """``owe(3, endpoints=2)``: as many endpoints are owed three deliveries each; their lanes, which answer well."""

    def create(count: int, *, endpoints: int = 1, tenant: int = 0, url: str = "https://127.0.0.1/") -> list[LaneKey]:
        made = [
            call("POST", "/webhook-endpoints", {"url": url}, tenant=tenant).json["data"]["id"] for _ in range(endpoints)
        ]
        handler(engine)([purchase(tenant_id=tenant or tenant_id) for _ in range(count)])
        lanes = [LaneKey(tenant or tenant_id, endpoint_id) for endpoint_id in made]
        for lane in lanes:
            learned(engine, lane, is_proven=True, in_flight_limit=32)
        return lanes

    return create


def learned(engine: Engine, lane: LaneKey, **columns: Any) -> None:
    """As if attempts had taught this."""
    names = ", ".join(columns)
    given = ", ".join(f":{name}" for name in columns)
    changed = ", ".join(f"{name} = :{name}" for name in columns)
    with engine.begin() as connection:
        connection.execute(
            text(f"""
                insert into lanes (tenant_id, endpoint_id, {names}) values (:tenant_id, :endpoint_id, {given})
                on conflict (tenant_id, endpoint_id) do update set {changed}
            """),
            {**lane._asdict(), **columns},
        )


def changed(connection: Connection, lane: LaneKey, assignment: str) -> None:
    connection.execute(text(f"update webhook_endpoints set {assignment} where id = :endpoint_id"), lane._asdict())


def claimed_by(connection: Connection, *lanes: LaneKey, threads: int = BIG, busy: int = 0) -> dict[int, int]:
    """How many deliveries of each endpoint were claimed, by a sender of so many threads."""
    pool = Pool(threads, Counter({Slot.SWIFT: busy}))
    return dict(Counter(delivery.endpoint_id for delivery in claim(connection, lanes, pool).deliveries))


def test_endpoints_with_due_work_are_found_behind_a_backlog(engine: Engine, owe: Owe, tenant_id: int) -> None:
    lanes = owe(50, endpoints=3)
    with engine.connect() as connection:
        found = with_due_work(connection, after=LaneKey(tenant_id, 0))
        assert found[:3] == lanes
        assert with_due_work(connection, after=lanes[0])[:2] == lanes[1:]


def test_what_is_not_due_yet_and_who_is_not_active_is_left_alone(engine: Engine, owe: Owe, tenant_id: int) -> None:
    later, paused = owe(3, endpoints=2)
    with engine.connect() as connection:
        connection.execute(
            text("update delivery_queue set next_attempt_at = now() + interval '1 s' where endpoint_id = :id"),
            {"id": later.endpoint_id},
        )
        changed(connection, paused, "is_active = false")
        found = with_due_work(connection, after=LaneKey(tenant_id, 0))
        assert not {later, paused} & set(found)
        assert claimed_by(connection, later, paused) == {}


@pytest.mark.parametrize("column", ["blocked_until", "next_send_at"])
def test_a_lane_that_has_to_wait_is_left_alone_until_then(
    engine: Engine, owe: Owe, tenant_id: int, column: str
) -> None:
    (waiting,) = owe(3)
    with engine.connect() as connection:
        changed(connection, waiting, "rate_limit_per_second = 10")
        connection.execute(text(f"update lanes set {column} = now() + interval '1 s'"))
        assert waiting not in with_due_work(connection, after=LaneKey(tenant_id, 0))
        assert claimed_by(connection, waiting) == {}
        connection.execute(text(f"update lanes set {column} = now()"))
        assert waiting in with_due_work(connection, after=LaneKey(tenant_id, 0))
        assert claimed_by(connection, waiting)[waiting.endpoint_id] >= 1


def test_endpoints_take_turns(engine: Engine, owe: Owe) -> None:
    lanes = owe(40, endpoints=3)
    with engine.connect() as connection:
        claimed = claimed_by(connection, *lanes, busy=BIG - 12)
    assert claimed == {lane.endpoint_id: 4 for lane in lanes}


def test_the_limit_counts_what_others_hold(engine: Engine, owe: Owe) -> None:
    (lane,) = owe(20)
    for limit, more in ((5, 5), (8, 3), (4, 0)):
        learned(engine, lane, in_flight_limit=limit)
        with engine.begin() as connection:
            assert claimed_by(connection, lane) == ({lane.endpoint_id: more} if more else {})


def test_the_merchants_own_limit_holds_too(engine: Engine, owe: Owe) -> None:
    (lane,) = owe(20)
    with engine.connect() as connection:
        changed(connection, lane, "max_in_flight = 3")
        assert claimed_by(connection, lane) == {lane.endpoint_id: 3}


def test_a_rate_is_kept_over_all_claims(engine: Engine, owe: Owe) -> None:
    (lane,) = owe(20)
    with engine.begin() as connection:
        changed(connection, lane, "rate_limit_per_second = 100")
        assert claimed_by(connection, lane) == {lane.endpoint_id: 6}  # what 50 ms are worth, and one
        assert claimed_by(connection, lane) == {}


def test_an_organization_whose_lanes_another_sender_shares_out_is_passed_over(
    engine: Engine, owe: Owe, tenant_id: int
) -> None:
    (busy, other), (free,) = owe(10, endpoints=2), owe(10, tenant=tenant_id + 500_000)
    with engine.connect() as one, engine.connect() as another:
        assert claimed_by(one, busy, busy=BIG - 4) == {busy.endpoint_id: 4}
        assert claimed_by(another, busy, other, free, busy=BIG - 4) == {free.endpoint_id: 4}


def test_all_endpoints_on_one_host_that_says_nothing_get_few_places(engine: Engine, owe: Owe) -> None:
    lanes = owe(1, endpoints=40, url="https://127.0.0.2/")
    for lane in lanes:
        learned(engine, lane, is_proven=False)
    with engine.connect() as connection:
        assert sum(claimed_by(connection, *lanes).values()) == 8
        assert claimed_by(connection, *lanes) == {}


def test_first_attempts_are_not_held_up_by_older_retries(engine: Engine, owe: Owe) -> None:
    (lane,) = owe(6)
    with engine.connect() as connection:
        connection.execute(
            text("""
                update delivery_queue set gives_way = true, next_attempt_at = now() - interval '1 h'
                 where delivery_id in (
                    select delivery_id from delivery_queue where endpoint_id = :id order by delivery_id limit 3)
            """),
            {"id": lane.endpoint_id},
        )
        learned_limit = text("update lanes set in_flight_limit = 4 where endpoint_id = :endpoint_id")
        connection.execute(learned_limit, lane._asdict())
        slots = Counter(delivery.slot for delivery in claim(connection, [lane], Pool(BIG, Counter())).deliveries)
    assert slots == {Slot.SWIFT: 2, Slot.REST: 2}


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
        pool = Pool(BIG, Counter({Slot.SWIFT: BIG - 1}))
        assert [delivery.delivery_id for delivery in claim(connection, [lane], pool).deliveries] == [latest]


def test_only_leases_that_ran_out_are_given_back(engine: Engine, owe: Owe) -> None:
    (lane,) = owe(3)
    with engine.connect() as connection:
        first, second = claim(connection, [lane], Pool(BIG, Counter({Slot.SWIFT: BIG - 2}))).deliveries
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
