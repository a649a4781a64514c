"""A sender takes what is due, for a while: the database's clock decides both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Connection, text

LEASE_S = 30.0
MAX_BATCH = 64
MAX_LANES = 64


@dataclass(frozen=True, slots=True)
class Lane:
    """An endpoint with something due."""

    tenant_id: int
    endpoint_id: int
    max_in_flight: int


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """All that one attempt needs. URL and secret are the endpoint's of now, not of when the event happened."""

    tenant_id: int
    delivery_id: int
    endpoint_id: int
    claim_id: UUID
    attempt_count: int
    event_id: UUID
    event_created_at: datetime
    event: str
    payload: str
    url: str
    sealed_secret: str
    previous_sealed_secret: str | None
    max_in_flight: int


# Hops from endpoint to endpoint along the index, so that a backlog of one costs as much to pass as one row.
_LANES = text("""
    with recursive waiting as (
        (select tenant_id, endpoint_id, next_attempt_at from delivery_queue
          where claim_id is null and (tenant_id, endpoint_id) > (:after_tenant_id, :after_endpoint_id)
          order by tenant_id, endpoint_id, next_attempt_at limit 1)
        union all
        select following.* from waiting cross join lateral (
            select tenant_id, endpoint_id, next_attempt_at from delivery_queue
             where claim_id is null and (tenant_id, endpoint_id) > (waiting.tenant_id, waiting.endpoint_id)
             order by tenant_id, endpoint_id, next_attempt_at limit 1) following
    )
    select endpoint.tenant_id, endpoint.id as endpoint_id, endpoint.max_in_flight
      from waiting join webhook_endpoints endpoint
        on endpoint.tenant_id = waiting.tenant_id and endpoint.id = waiting.endpoint_id
     where waiting.next_attempt_at <= now() and endpoint.is_active and endpoint.deleted_at is null
     limit :lanes
""")

_LOCK = text("""
    select tenant_id, id from webhook_endpoints
     where (tenant_id, id) in (select * from unnest(cast(:tenant_ids as bigint[]), cast(:endpoint_ids as bigint[])))
       for no key update skip locked
""")

# The locks of the lanes are enough: whoever else changes a waiting row, to delete it, is waited for at the update.
# Rows are found again by where they lie and looked up one at a time: with join conditions the planner, which knows
# nothing yet of a day's new partition, was seen to read a tenant's whole day for each delivery.
_CLAIM = text("""
    with lane as materialized (
        select tenant_id, endpoint_id, in_flight_limit - (
                   select count(*) from delivery_queue leased
                    where leased.tenant_id = lane.tenant_id and leased.endpoint_id = lane.endpoint_id
                      and claim_id is not null) as room
          from unnest(cast(:tenant_ids as bigint[]), cast(:endpoint_ids as bigint[]), cast(:limits as bigint[]))
               as lane (tenant_id, endpoint_id, in_flight_limit)
    ), share as (
        -- Twice its part of the batch is enough to look at in each lane, so that lanes with less leave no gap.
        select tenant_id, endpoint_id, least(room, ceil(2.0 * :batch / count(*) over ())) as most
          from lane where room > 0
    ), due as (
        select queued.place from share cross join lateral (
            select ctid as place, endpoint_id, next_attempt_at from delivery_queue
             where tenant_id = share.tenant_id and endpoint_id = share.endpoint_id
               and claim_id is null and next_attempt_at <= now()
             order by next_attempt_at limit share.most) queued
         order by row_number() over (partition by queued.endpoint_id order by queued.next_attempt_at)
         limit :batch
    ), claimed as (
        update delivery_queue queued
           set claim_id = :claim_id, lease_until = now() + make_interval(secs => :lease_s)
          from due where queued.ctid = due.place and queued.claim_id is null
        returning queued.*
    )
    select claimed.tenant_id, claimed.delivery_id, claimed.endpoint_id, claimed.claim_id, claimed.attempt_count,
           claimed.event_id, claimed.event_created_at, event.event, event.payload,
           endpoint.url, endpoint.sealed_secret, endpoint.previous_sealed_secret, endpoint.max_in_flight
      from claimed
     cross join lateral (
        select event, payload from webhook_events
         where tenant_id = claimed.tenant_id and id = claimed.event_id and created_at = claimed.event_created_at
         limit 1) event
     cross join lateral (
        select url, sealed_secret, max_in_flight,
               case when previous_secret_expires_at > now() then previous_sealed_secret end as previous_sealed_secret
          from webhook_endpoints
         where tenant_id = claimed.tenant_id and id = claimed.endpoint_id
         limit 1) endpoint
""")

_REAP = text("""
    update delivery_queue set claim_id = null, lease_until = null
     where (tenant_id, delivery_id) in (
        select tenant_id, delivery_id from delivery_queue
         where claim_id is not null and lease_until < now()
         limit 1000 for update skip locked)
""")


def lanes_with_due_work(connection: Connection, *, after: tuple[int, int]) -> list[Lane]:
    """At most 64 active endpoints that something is due for, in the order of their ids, behind ``after``."""
    parameters = {"after_tenant_id": after[0], "after_endpoint_id": after[1], "lanes": MAX_LANES}
    return [Lane(*row) for row in connection.execute(_LANES, parameters)]


def claim(connection: Connection, lanes: Sequence[tuple[Lane, int]], *, batch: int) -> list[ClaimedDelivery]:
    """Lease at most ``batch`` due deliveries, the lanes taking turns; each lane comes with its limit in flight.

    Two statements: after the lanes are locked, a new snapshot counts their leases. In one, senders that waited
    for each other would count what was there before, and overshoot the limit together.
    """
    keys = {
        "tenant_ids": [lane.tenant_id for lane, _ in lanes],
        "endpoint_ids": [lane.endpoint_id for lane, _ in lanes],
    }
    locked = {(row.tenant_id, row.id) for row in connection.execute(_LOCK, keys)}
    mine = [(lane, limit) for lane, limit in lanes if (lane.tenant_id, lane.endpoint_id) in locked]
    if not mine:
        return []
    parameters = {
        "tenant_ids": [lane.tenant_id for lane, _ in mine],
        "endpoint_ids": [lane.endpoint_id for lane, _ in mine],
        "limits": [limit for _, limit in mine],
        "batch": min(batch, MAX_BATCH),
        "claim_id": uuid4(),
        "lease_s": LEASE_S,
    }
    return [ClaimedDelivery(*row) for row in connection.execute(_CLAIM, parameters)]


def _keys(lanes: Sequence[Lane]) -> dict[str, object]:
    return {"tenant_ids": [lane.tenant_id for lane in lanes], "endpoint_ids": [lane.endpoint_id for lane in lanes]}


def reap(connection: Connection) -> int:
    """Give back what a sender leased and never finished; how many."""
    return connection.execute(_REAP).rowcount
