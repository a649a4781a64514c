"""A replay is carried out in short steps that fill the room its endpoint has left, and never more.

Live traffic comes first without a priority of its own: what a replay may queue is what is missing of a full window,
and whatever waits or is under way for the endpoint fills that window too. A blocked or slow endpoint holds its replay
up by itself. A step's rows and its position are one commit: killed, it is done again or was done.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, Row, text

WINDOW = 64
SCANNED_PER_STEP = 2_000
COUNTED_PER_STEP = 20_000
_PAUSE_S = 0.1

_TAKE = text("""
    select replay.*, now() as now from webhook_replays replay
     where due_at <= now() order by due_at limit 1 for no key update skip locked
""")
# Held until the commit: whoever deletes the endpoint cancels what this step queues, or this step finds it deleted.
_ENDPOINT = text("""
    select events from webhook_endpoints
     where tenant_id = :tenant_id and id = :endpoint_id and deleted_at is null for share
""")
_BUSY = (
    "(select from delivery_queue where tenant_id = :tenant_id and endpoint_id = :endpoint_id and {state} limit :window)"
)
_DUE = "claim_id is null and next_attempt_at <= now() and"
# In the words of the indexes' conditions, one by one: a backlog that waits for later is not gone through.
_ROOM = text(f"""
    select :window - count(*) from (
        {_BUSY.format(state="claim_id is not null")} union all
        {_BUSY.format(state=f"{_DUE} gives_way")} union all
        {_BUSY.format(state=f"{_DUE} not gives_way")}) busy
""")  # noqa: S608 (constants)

# What waited when the replay was ordered, and ended since, has been sent: not once more.
_WANTED = """
    ('*' = any(cast(:events as text[])) or event.event = any(cast(:events as text[])))
       and ('*' = any(cast(:subscribed as text[])) or event.event = any(cast(:subscribed as text[])))
       and case :only when 'failed' then delivery.status = 'exhausted'
                     else coalesce(delivery.completed_at < :created_at, delivery.status is null) end
"""
# Looked up one at a time: with a join condition the planner, which knows little of a day's new partition, was seen to
# go through all that an endpoint was ever owed for each event.
_DELIVERY = """
    left join lateral (
        select id, status, completed_at from webhook_deliveries
         where tenant_id = :tenant_id and event_id = event.id and endpoint_id = :endpoint_id
           and event_created_at = event.created_at
         limit 1) delivery on true
"""
_SCANNED = """
    scanned as materialized (
        select id, created_at, sequence, event from webhook_events
         where tenant_id = :tenant_id and created_at >= :since and created_at < :until and sequence > :position
         order by sequence limit :scanned)
"""
_COUNT = text(f"""
    with {_SCANNED}
    select count(*) as scanned, max(event.sequence) as last_scanned, count(*) filter (where {_WANTED}) as wanted
      from scanned event {_DELIVERY}
""")  # noqa: S608 (constants)
_QUEUE = text(f"""
    with {_SCANNED}, chosen as materialized (
        select event.*, delivery.id as delivery_id from scanned event {_DELIVERY}
         where {_WANTED} order by event.sequence limit :room
    ), owed as (
        insert into webhook_deliveries (
            tenant_id, event_created_at, event_id, event, sequence, endpoint_id, trigger, status, attempt_count,
            next_attempt_at, created_at)
        select :tenant_id, created_at, id, event, sequence, :endpoint_id, 'replay', 'pending', 0, now(), now()
          from chosen where delivery_id is null
        on conflict (tenant_id, event_id, endpoint_id, event_created_at) do nothing
        returning id, event_id, event_created_at, attempt_count
    ), reopened as (
        update webhook_deliveries delivery
           set trigger = 'replay', status = 'pending', next_attempt_at = now(), completed_at = null
          from chosen
         where delivery.tenant_id = :tenant_id and delivery.id = chosen.delivery_id
           and delivery.event_created_at = chosen.created_at and delivery.status <> 'pending'
        returning delivery.id, delivery.event_id, delivery.event_created_at, delivery.attempt_count
    ), queued as (
        insert into delivery_queue (
            tenant_id, delivery_id, endpoint_id, event_id, event_created_at, attempt_count, next_attempt_at, gives_way)
        select :tenant_id, id, :endpoint_id, event_id, event_created_at, attempt_count, now(), true
          from (select * from owed union all select * from reopened) again
    )
    select (select count(*) from chosen) as chosen, (select count(*) from scanned) as scanned,
           (select max(sequence) from chosen) as last_chosen, (select max(sequence) from scanned) as last_scanned
""")  # noqa: S608 (constants)

_COUNTED = text("""
    update webhook_replays
       set status = 'running', started_at = coalesce(started_at, now()), version = version + 1,
           counted_to = :counted_to, counted = :counted, total = :total
     where tenant_id = :tenant_id and id = :id
""")
_PROGRESS = text("""
    update webhook_replays
       set version = version + 1, position = :position, processed = processed + :chosen,
           due_at = clock_timestamp() + make_interval(secs => :pause_s)
     where tenant_id = :tenant_id and id = :id
""")
_FINISH = text("""
    update webhook_replays
       set status = :status, error = :error, started_at = coalesce(started_at, now()), version = version + 1,
           total = processed, due_at = null, finished_at = now()
     where tenant_id = :tenant_id and id = :id
""")


def step(engine: Engine) -> bool:
    """Queue what there is room for, for the replay that has waited longest; whether there was one."""
    with engine.begin() as connection:
        replay = connection.execute(_TAKE).one_or_none()
        if replay is None:
            return False
        endpoint = connection.execute(_ENDPOINT, dict(replay._mapping)).one_or_none()
        if endpoint is None:
            _finish(connection, replay, status="failed", error="The endpoint was deleted.")
        else:
            go_on = _count if replay.total is None else _queue
            go_on(connection, replay, {**replay._mapping, "subscribed": endpoint.events})
    return True


def _count(connection: Connection, replay: Row[Any], wanted: dict[str, Any]) -> None:
    looked_at = {**wanted, "position": replay.counted_to, "scanned": COUNTED_PER_STEP}
    found = connection.execute(_COUNT, looked_at).one()
    counted = replay.counted + found.wanted
    is_whole = found.scanned < COUNTED_PER_STEP
    written = {"counted_to": found.last_scanned or replay.counted_to, "counted": counted}
    connection.execute(_COUNTED, {**wanted, **written, "total": counted if is_whole else None})


def _queue(connection: Connection, replay: Row[Any], wanted: dict[str, Any]) -> None:
    room = connection.execute(_ROOM, {**wanted, "window": WINDOW}).scalar_one()
    position, chosen = replay.position, 0
    if room > 0:
        found = connection.execute(_QUEUE, {**wanted, "room": room, "scanned": SCANNED_PER_STEP}).one()
        chosen, is_full = found.chosen, found.chosen == room
        position = (found.last_chosen if is_full else found.last_scanned) or position
    progress = {"position": position, "chosen": chosen, "pause_s": _PAUSE_S}
    connection.execute(_PROGRESS, {**wanted, **progress})
    if room > 0 and not is_full and found.scanned < SCANNED_PER_STEP:
        _finish(connection, replay, status="succeeded")


def _finish(connection: Connection, replay: Row[Any], *, status: str, error: str | None = None) -> None:
    connection.execute(_FINISH, {**replay._mapping, "status": status, "error": error})
