"""Events come in: each gets its place in its tenant's log, and a delivery to every endpoint that wants it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, text

from loyalty_common import personal
from loyalty_common.envelope import timestamp
from loyalty_common.messaging.inbox import accept
from loyalty_common.messaging.message import MalformedMessage, Message
from loyalty_webhooks.domain.redacting import remember

_EVENT_NAME = re.compile(r"[a-z_]+(\.[a-z_]+)+")

# Locks the log of each tenant until the commit, in the order of their ids: whoever takes numbers later commits later,
# and a rollback gives its numbers back. So the log has no gaps, and deletion of an endpoint sees all or nothing.
_NUMBERS = text("""
    insert into event_sequences (tenant_id, last_sequence)
    select * from unnest(cast(:tenant_ids as bigint[]), cast(:counts as bigint[])) as wanted (tenant_id, count)
     order by tenant_id
    on conflict (tenant_id) do update set last_sequence = event_sequences.last_sequence + excluded.last_sequence
    returning tenant_id, last_sequence
""")

_STORE = text("""
    with event as (
        select * from json_to_recordset(cast(:events as json)) as event (
            tenant_id bigint, id uuid, created_at timestamptz, sequence bigint, event text, payload text,
            customer_id bigint, referred_customer_id bigint, traceparent text)
    ), logged as (
        insert into webhook_events (
            tenant_id, id, created_at, sequence, event, payload, customer_id, referred_customer_id, traceparent)
        select tenant_id, id, created_at, sequence, event, payload, customer_id, referred_customer_id, traceparent
          from event
    ), owed as (
        insert into webhook_deliveries (
            tenant_id, event_created_at, event_id, event, sequence, endpoint_id, trigger, status, attempt_count,
            next_attempt_at, created_at)
        select event.tenant_id, event.created_at, event.id, event.event, event.sequence, endpoint.id, 'event',
               'pending', 0, now(), now()
          from event
          join webhook_endpoints endpoint on endpoint.tenant_id = event.tenant_id
         where endpoint.is_active and endpoint.deleted_at is null and endpoint.events && array['*', event.event]
         order by event.tenant_id, event.sequence
        on conflict (tenant_id, event_id, endpoint_id, event_created_at) do nothing
        returning tenant_id, id, endpoint_id, event_id, event_created_at, next_attempt_at
    ), queued as (
        insert into delivery_queue (
            tenant_id, delivery_id, endpoint_id, event_id, event_created_at, attempt_count, next_attempt_at)
        select tenant_id, id, endpoint_id, event_id, event_created_at, 0, next_attempt_at from owed
    )
    select event.id, erased.customer_id from event cross join lateral (
        select customer_id from erased_customers
         where tenant_id = event.tenant_id and customer_id in (event.customer_id, event.referred_customer_id)
         limit 2) erased
""")
_STORE_REDACTED = text("""
    update webhook_events set payload = :payload
     where tenant_id = :tenant_id and id = :id and created_at = :created_at
""")


def take_in(connection: Connection, messages: Sequence[Message]) -> int:
    """Log each message once, however often it arrives; how many were new. The caller commits.

    Three statements: inbox, numbers, and all the rest, which sees the endpoints as they are once the logs are locked,
    and tombstones too. What tells of somebody erased is written once more, without him, before anybody can see it.
    """
    for message in messages:
        # It goes into a header of every delivery: what could not must not come so far.
        if not _EVENT_NAME.fullmatch(message.event):
            raise MalformedMessage("event is no name of an event")
    fresh = [message for message in accept(connection, messages) if not message.event.startswith("internal.")]
    if not fresh:
        return 0
    counts = Counter(message.tenant_id for message in fresh)
    wanted = {"tenant_ids": list(counts), "counts": list(counts.values())}
    last_numbers = {row.tenant_id: row.last_sequence for row in connection.execute(_NUMBERS, wanted)}
    numbered = _in_order(fresh, {tenant: last - counts[tenant] for tenant, last in last_numbers.items()})
    remember(connection, fresh)
    rows = {message.id: (message, _row(message, sequence)) for message, sequence in numbered}
    late = connection.execute(_STORE, {"events": orjson.dumps([row for _, row in rows.values()]).decode()})
    redacted = [_redacted(*rows[found.id], customer_id=found.customer_id) for found in late]
    if redacted:
        connection.execute(_STORE_REDACTED, redacted)
    return len(fresh)


def _in_order(messages: Sequence[Message], before: Mapping[int, int]) -> Iterator[tuple[Message, int]]:
    """Each message with its number: what happened first comes first, as far as it arrived together."""
    last = dict(before)
    for message in sorted(messages, key=lambda message: message.created_at):
        last[message.tenant_id] += 1
        yield message, last[message.tenant_id]


def payload(message: Message, *, sequence: int) -> str:
    """What every attempt signs and sends. Serialised here and nowhere else."""
    envelope = {
        "id": message.id,
        "event": message.event,
        "created_at": timestamp(message.created_at),
        "sequence": sequence,
        "data": message.data,
    }
    return orjson.dumps(envelope).decode()


def _row(message: Message, sequence: int) -> dict[str, Any]:
    return {
        "tenant_id": message.tenant_id,
        "id": message.id,
        "created_at": message.created_at,
        "sequence": sequence,
        "event": message.event,
        "payload": payload(message, sequence=sequence),
        "customer_id": _id_of(message.data.get("customer")),
        "referred_customer_id": _id_of(message.data.get("referred")),
        "traceparent": message.traceparent,
    }


def _id_of(person: Any) -> int | None:
    found = person.get("id") if isinstance(person, dict) else None
    return found if isinstance(found, int) else None


def _redacted(message: Message, row: dict[str, Any], *, customer_id: int) -> dict[str, Any]:
    personal.take_out_of_event(message.data, customer_id)
    return {**row, "payload": payload(message, sequence=row["sequence"])}
