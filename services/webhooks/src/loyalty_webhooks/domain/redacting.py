"""What the log says of an erased customer is taken out of it: batch by batch, each as durable as the order to do so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, Row, text

from loyalty_common import personal
from loyalty_common.messaging.message import Message
from loyalty_webhooks.domain.lanes import wait_for_lock

BATCH = 500

_REMEMBER = text("""
    insert into erased_customers (tenant_id, customer_id, erased_at) values (:tenant_id, :customer_id, :erased_at)
    on conflict do nothing
""")
# One at a time: two who take two people out of one event would each put the other back.
_ONE_AT_A_TIME = text("select pg_advisory_xact_lock(hashtext('redacting'))")
_NEXT = text("""
    select tenant_id, customer_id, redacted_up_to from erased_customers
     where redacted_at is null order by tenant_id, customer_id limit 1
""")
_EVENTS = text("""
    (select sequence, id, created_at, payload from webhook_events
      where tenant_id = :tenant_id and customer_id = :customer_id and sequence > :redacted_up_to
      order by sequence limit :batch)
    union
    (select sequence, id, created_at, payload from webhook_events
      where tenant_id = :tenant_id and referred_customer_id = :customer_id and sequence > :redacted_up_to
      order by sequence limit :batch)
     order by sequence limit :batch
""")
# Run once per event: with the event's moment as a constant, one partition of each table is looked into. A lease is
# taken back with the bytes it was given for, so that its holder's report, which may echo them, is refused.
_REWRITE = text("""
    with revoked as (
        update delivery_queue set claim_id = null, lease_until = null
         where tenant_id = :tenant_id and claim_id is not null and delivery_id = any(array(
            select id from webhook_deliveries
             where tenant_id = :tenant_id and event_id = :id and event_created_at = :created_at))
    ), silenced as (
        update webhook_attempts set response_headers = '{}', response_body = null
         where tenant_id = :tenant_id and event_created_at = :created_at and delivery_id = any(array(
            select id from webhook_deliveries
             where tenant_id = :tenant_id and event_id = :id and event_created_at = :created_at))
    )
    update webhook_events set payload = :payload
     where tenant_id = :tenant_id and id = :id and created_at = :created_at
""")
_PROGRESS = text("""
    update erased_customers
       set redacted_up_to = :redacted_up_to, redacted_at = case when :is_last then now() end
     where tenant_id = :tenant_id and customer_id = :customer_id
""")


def remember(connection: Connection, messages: Sequence[Message]) -> None:
    """A tombstone for everybody who these messages say was erased. Call it with the tenants' logs locked."""
    erased = [
        {"tenant_id": message.tenant_id, "customer_id": message.data["id"], "erased_at": message.data["erased_at"]}
        for message in messages
        if is_erasure(message)
    ]
    if erased:
        connection.execute(_REMEMBER, erased)


def is_erasure(message: Message) -> bool:
    is_owners = message.publisher == "customers" and message.event == "customer.updated"
    return is_owners and bool(message.data.get("erased_at"))


def redact(engine: Engine) -> int:
    """Rewrite all that is left to be; how many events that took. May be killed, and run beside others."""
    rewritten = 0
    while True:
        with engine.begin() as connection:
            connection.execute(_ONE_AT_A_TIME)
            erased = connection.execute(_NEXT).one_or_none()
            if erased is None:
                return rewritten
            rewritten += _redact_batch(connection, erased)


def _redact_batch(connection: Connection, erased: Row[Any]) -> int:
    # Senders pass over lanes that are locked: nobody claims with the old bytes in hand what is rewritten here.
    wait_for_lock(connection, erased.tenant_id)
    events = connection.execute(_EVENTS, {**erased._mapping, "batch": BATCH}).all()
    rewritten = [
        {"tenant_id": erased.tenant_id, "id": event.id, "created_at": event.created_at, "payload": payload}
        for event in events
        if (payload := _without(event.payload, erased.customer_id)) is not None
    ]
    if rewritten:
        connection.execute(_REWRITE, rewritten)
    reached = events[-1].sequence if events else erased.redacted_up_to
    progress = {"redacted_up_to": reached, "is_last": len(events) < BATCH}
    connection.execute(_PROGRESS, {**erased._mapping, **progress})
    return len(rewritten)


def _without(payload: str, customer_id: int) -> str | None:
    """The signed text without the customer; ``None`` if it says nothing of him."""
    envelope = orjson.loads(payload)
    found = personal.take_out_of_event(envelope["data"], customer_id)
    return orjson.dumps(envelope).decode() if found else None
