"""Lanes with something due, and what limits them: found, locked, loaded, and written by those who learn."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, TextClause, text

from loyalty_common.database import Transaction
from loyalty_webhooks.domain.health import Health
from loyalty_webhooks.domain.limits import Lane, LaneKey

MAX_LANES = 128


NO_LANE = LaneKey(0, 0)

# Hops from lane to lane along the index, and in each to what gives way, so that a backlog of one costs as much to pass
# as one row. The endpoint's own settings come first: of most there is no row in lanes that says more.
WITH_DUE_WORK = text("""
    with recursive waiting as (
        (select tenant_id, endpoint_id, gives_way, next_attempt_at from delivery_queue
          where claim_id is null and (tenant_id, endpoint_id) > (:after_tenant_id, :after_endpoint_id)
          order by tenant_id, endpoint_id, gives_way, next_attempt_at limit 1)
        union all
        select following.* from waiting cross join lateral (
            select tenant_id, endpoint_id, gives_way, next_attempt_at from delivery_queue
             where claim_id is null
               and (tenant_id, endpoint_id, gives_way) > (waiting.tenant_id, waiting.endpoint_id, waiting.gives_way)
             order by tenant_id, endpoint_id, gives_way, next_attempt_at limit 1) following
    )
    select waiting.tenant_id, waiting.endpoint_id
      from waiting
     cross join lateral (
        select is_active and deleted_at is null as is_open from webhook_endpoints
         where tenant_id = waiting.tenant_id and id = waiting.endpoint_id limit 1) endpoint
      left join lateral (
        select coalesce(greatest(blocked_until, next_send_at) > now(), false) as must_wait from lanes
         where tenant_id = waiting.tenant_id and endpoint_id = waiting.endpoint_id limit 1) lane on true
     where waiting.next_attempt_at <= now() and endpoint.is_open and lane.must_wait is not true
     limit :lanes
""")

# One lock for all lanes of an organization, since some limits are the organization's. Not of rows: locking them would
# write to each, a hundred times a second. Whoever is not given it passes on; who rewrites events waits for it.
_LOCK_KEY = "hashtextextended('lanes of ' || tenant_id, 0)"
_TRY_LOCK = text(f"""
    select tenant_id from unnest(cast(:tenant_ids as bigint[])) as tenant (tenant_id)
     where pg_try_advisory_xact_lock({_LOCK_KEY})
""")  # noqa: S608
_LOCK = text(f"select pg_advisory_xact_lock({_LOCK_KEY}) from (values (:tenant_id)) as tenant (tenant_id)")  # noqa: S608

_HEALTH = ", ".join(Health._fields)
_NEW = Health()
LOAD = text(f"""
    with leased as materialized (
        select queued.tenant_id, queued.endpoint_id, count(*) as in_flight
          from (select distinct tenant_id from unnest(cast(:tenant_ids as bigint[])) as given (tenant_id)) tenant
         cross join lateral (
            select tenant_id, endpoint_id from delivery_queue
             where tenant_id = tenant.tenant_id and claim_id is not null
             order by tenant_id, endpoint_id, lease_until) queued
         group by queued.tenant_id, queued.endpoint_id
    ), wanted as materialized (
        select tenant_id, endpoint_id, min(turn) as turn, max(in_flight) as in_flight
          from (select tenant_id, endpoint_id, turn, 0 as in_flight
                  from unnest(cast(:tenant_ids as bigint[]), cast(:endpoint_ids as bigint[]))
                       with ordinality as given (tenant_id, endpoint_id, turn)
                 union all
                select tenant_id, endpoint_id, null, in_flight from leased) one
         group by tenant_id, endpoint_id
    )
    select wanted.tenant_id, wanted.endpoint_id, endpoint.url, endpoint.max_in_flight, endpoint.rate_limit_per_second,
           lane.next_send_at, wanted.in_flight, {_HEALTH}, now() as now,
           array(select delivery_id from delivery_queue
                  where tenant_id = wanted.tenant_id and endpoint_id = wanted.endpoint_id and not gives_way
                    and claim_id is null and next_attempt_at <= now() and wanted.turn is not null and endpoint.is_open
                  order by next_attempt_at limit :deep) as first,
           array(select delivery_id from delivery_queue
                  where tenant_id = wanted.tenant_id and endpoint_id = wanted.endpoint_id and gives_way
                    and claim_id is null and next_attempt_at <= now() and wanted.turn is not null and endpoint.is_open
                  order by next_attempt_at limit :deep) as later
      from wanted
     cross join lateral (
        select url, max_in_flight, rate_limit_per_second, is_active and deleted_at is null as is_open
          from webhook_endpoints where tenant_id = wanted.tenant_id and id = wanted.endpoint_id limit 1) endpoint
      left join lateral (
        select {_HEALTH}, next_send_at from lanes
         where tenant_id = wanted.tenant_id and endpoint_id = wanted.endpoint_id limit 1) lane on true
     order by wanted.turn
""")  # noqa: S608
_SPEND = text("""
    insert into lanes (tenant_id, endpoint_id, next_send_at) values (:tenant_id, :endpoint_id, :next_send_at)
    on conflict (tenant_id, endpoint_id) do update set next_send_at = excluded.next_send_at
""")

_KNOWN = """
    select given.tenant_id, given.endpoint_id, lane.*, now() as now
      from unnest(cast(:tenant_ids as bigint[]), cast(:endpoint_ids as bigint[])) as given (tenant_id, endpoint_id)
      left join lateral (
        select {columns} from lanes
         where tenant_id = given.tenant_id and endpoint_id = given.endpoint_id limit 1 {locking}) lane on true
"""
_READ = text(_KNOWN.format(columns=_HEALTH, locking=""))
_READ_LOCKED = text(_KNOWN.format(columns=_HEALTH, locking="for no key update"))
_MAKE = text("""
    insert into lanes (tenant_id, endpoint_id)
    select * from unnest(cast(:tenant_ids as bigint[]), cast(:endpoint_ids as bigint[]))
    on conflict do nothing
""")
_FORGET = text("delete from lanes where tenant_id = :tenant_id and endpoint_id = :endpoint_id")


def with_due_work(connection: Connection, *, after: LaneKey, most: int = MAX_LANES) -> list[LaneKey]:
    """``most`` endpoints that may be sent something now, in the order of their ids, behind ``after``."""
    parameters = {"after_tenant_id": after.tenant_id, "after_endpoint_id": after.endpoint_id, "lanes": most}
    found = connection.execute(WITH_DUE_WORK, parameters)
    return list(dict.fromkeys(LaneKey(*row) for row in found))


def lock(connection: Connection, lanes: Sequence[LaneKey]) -> list[LaneKey]:
    """Those of ``lanes`` whose organization's lanes nobody else shares out; nobody does before the commit."""
    tenant_ids = list(dict.fromkeys(lane.tenant_id for lane in lanes))
    locked = set(connection.execute(_TRY_LOCK, {"tenant_ids": tenant_ids}).scalars())
    return [lane for lane in lanes if lane.tenant_id in locked]


def wait_for_lock(connection: Connection, tenant_id: int) -> None:
    """Until the commit no delivery of this tenant is claimed."""
    connection.execute(_LOCK, {"tenant_id": tenant_id})


def load(connection: Connection, lanes: Sequence[LaneKey], *, batch: int) -> tuple[datetime, list[Lane]]:
    """The time, these lanes in their order, and all others of their tenants that have something under way.

    Of each lane twice its part of the batch is looked at, so that lanes with less leave no gap.
    """
    rows = connection.execute(LOAD, {**_keys(lanes), "deep": -(-2 * batch // len(lanes))}).all()
    return rows[0].now, [_lane(row) for row in rows]


def spend(connection: Connection, moments: Mapping[LaneKey, datetime]) -> None:
    """Nothing is sent in these lanes before their moments."""
    # One by one in the order in which those who learn lock them: neither waits for what waits for it.
    connection.execute(
        _SPEND, [{**key._asdict(), "next_send_at": next_send_at} for key, next_send_at in sorted(moments.items())]
    )


def known(connection: Connection, lanes: Collection[LaneKey]) -> tuple[datetime, dict[LaneKey, Health]]:
    """The time, and what is known of these lanes at the moment."""
    return _known(connection, _READ, _keys(lanes))


def known_and_locked(connection: Connection, lanes: Collection[LaneKey]) -> tuple[datetime, dict[LaneKey, Health]]:
    """The same, and nobody else changes it before the commit."""
    keys = _keys(sorted(lanes))  # in one order, whoever locks them
    connection.execute(_MAKE, keys)
    return _known(connection, _READ_LOCKED, keys)


def _known(connection: Connection, query: TextClause, keys: dict[str, Any]) -> tuple[datetime, dict[LaneKey, Health]]:
    rows = connection.execute(query, keys).all()
    return rows[0].now, {LaneKey(row[0], row[1]): _health(row[2:-1]) for row in rows}


def forget(tx: Transaction, *, endpoint_id: int) -> None:
    """The endpoint starts anew: its merchant says that it works again, or that it is another server now."""
    tx.execute(_FORGET, {"endpoint_id": endpoint_id})


def _keys(lanes: Collection[LaneKey]) -> dict[str, Any]:
    return {"tenant_ids": [lane.tenant_id for lane in lanes], "endpoint_ids": [lane.endpoint_id for lane in lanes]}


def _lane(row: Sequence[Any]) -> Lane:
    tenant_id, endpoint_id, url, most, rate, next_send_at, in_flight, *health, _now, first, later = row
    return Lane(
        LaneKey(tenant_id, endpoint_id), url, most, rate, next_send_at, in_flight, _health(health), first, later
    )


def _health(values: Sequence[Any]) -> Health:
    return _NEW if values[0] is None else Health._make(values)
