"""A sender takes what is due, for a while: the database's clock decides both."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import Connection, text

from loyalty_webhooks.domain import lanes
from loyalty_webhooks.domain.health import Pace
from loyalty_webhooks.domain.limits import Lane, LaneKey, Pool, Slot, share_out

LEASE_S = 30.0
MAX_BATCH = 64


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
    traceparent: str | None
    url: str
    sealed_secret: str
    previous_sealed_secret: str | None
    max_in_flight: int
    slot: Slot


# The lock of the lanes is enough: whoever else changes a waiting row, to delete it, is waited for at the update.
# Rows are found by their keys, one at a time: with join conditions the planner, which knows nothing yet of a day's new
# partition, was seen to read a tenant's whole day for each delivery; and asked for waiting rows only, it went through
# the index of those, past the tenant's whole backlog.
CLAIM = text("""
    with due as (
        select queued.place, given.slot
          from unnest(cast(:tenant_ids as bigint[]), cast(:delivery_ids as bigint[]), cast(:slots as text[]))
               as given (tenant_id, delivery_id, slot)
         cross join lateral (
            select ctid as place from delivery_queue
             where tenant_id = given.tenant_id and delivery_id = given.delivery_id
             limit 1) queued
    ), claimed as (
        update delivery_queue queued
           set claim_id = :claim_id, lease_until = now() + make_interval(secs => :lease_s)
          from due where queued.ctid = due.place and queued.claim_id is null
        returning queued.*, due.slot
    )
    select claimed.tenant_id, claimed.delivery_id, claimed.endpoint_id, claimed.claim_id, claimed.attempt_count,
           claimed.event_id, claimed.event_created_at, event.event, event.payload,
           event.traceparent, endpoint.url, endpoint.sealed_secret, endpoint.previous_sealed_secret,
           endpoint.max_in_flight, claimed.slot
      from claimed
     cross join lateral (
        select event, payload, traceparent from webhook_events
         where tenant_id = claimed.tenant_id and id = claimed.event_id and created_at = claimed.event_created_at
         limit 1) event
     cross join lateral (
        select url, sealed_secret, max_in_flight,
               case when previous_secret_expires_at > now() then previous_sealed_secret end as previous_sealed_secret
          from webhook_endpoints
         where tenant_id = claimed.tenant_id and id = claimed.endpoint_id
         limit 1) endpoint
""")

# For why it is not "=", see completing.py.
_HAND_BACK = text("""
    update delivery_queue queued set claim_id = null, lease_until = null
      from unnest(cast(:tenant_ids as bigint[]), cast(:delivery_ids as bigint[]), cast(:claim_ids as uuid[]))
           as given (tenant_id, delivery_id, claim_id)
     where queued.tenant_id = given.tenant_id and queued.delivery_id = given.delivery_id
       and queued.claim_id is not distinct from given.claim_id
""")
_REAP = text("""
    update delivery_queue set claim_id = null, lease_until = null
     where (tenant_id, delivery_id) in (
        select tenant_id, delivery_id from delivery_queue
         where claim_id is not null and lease_until < now()
         limit 1000 for update skip locked)
""")


class Claimed(NamedTuple):
    """``passed_over``: lanes that do not answer fast, and have no room at the moment."""

    deliveries: Sequence[ClaimedDelivery]
    passed_over: Collection[LaneKey]


_NOTHING = Claimed((), ())


def claim(connection: Connection, candidates: Sequence[LaneKey], pool: Pool) -> Claimed:
    """Lease due deliveries of these lanes, taking turns in this order, as many as the limits leave room for.

    Lock, load, decide, record. Leases are counted by a statement of its own, whose snapshot begins after the lock is
    held: in one, senders that waited for each other would count what was there before, and overshoot together.
    """
    locked = lanes.lock(connection, candidates)
    if not locked:
        return _NOTHING
    now, found = lanes.load(connection, locked, batch=min(pool.idle, MAX_BATCH))
    shared = share_out(found, pool, now=now, most=MAX_BATCH)
    served = {lane.key for lane, _, _ in shared}
    passed_over = {lane.key for lane in found if lane.health.pace is not Pace.FAST} - served
    if not shared:
        return Claimed((), passed_over)
    _spend(connection, (lane for lane, _, _ in shared), now=now)
    parameters = {
        "tenant_ids": [lane.key.tenant_id for lane, _, _ in shared],
        "delivery_ids": [delivery_id for _, _, delivery_id in shared],
        "slots": [slot for _, slot, _ in shared],
        "claim_id": uuid4(),
        "lease_s": LEASE_S,
    }
    rows = connection.execute(CLAIM, parameters)
    return Claimed([ClaimedDelivery(*(*row[:-1], Slot(row.slot))) for row in rows], passed_over)


def _spend(connection: Connection, served: Iterable[Lane], *, now: datetime) -> None:
    """Note what was taken from lanes with a rate."""
    counts: dict[LaneKey, tuple[Lane, int]] = {}
    for lane in served:
        if lane.rate_limit_per_second is not None:
            counts[lane.key] = lane, counts.get(lane.key, (lane, 0))[1] + 1
    moments: Mapping[LaneKey, datetime] = {
        key: lane.next_send_after(count, now=now) for key, (lane, count) in counts.items()
    }
    if moments:
        lanes.spend(connection, moments)


def hand_back(connection: Connection, deliveries: Sequence[ClaimedDelivery]) -> None:
    """These were claimed and not begun: another sender may have them at once."""
    parameters = {
        "tenant_ids": [delivery.tenant_id for delivery in deliveries],
        "delivery_ids": [delivery.delivery_id for delivery in deliveries],
        "claim_ids": [delivery.claim_id for delivery in deliveries],
    }
    connection.execute(_HAND_BACK, parameters)


def reap(connection: Connection) -> int:
    """Give back what a sender leased and never finished; how many."""
    return connection.execute(_REAP).rowcount
