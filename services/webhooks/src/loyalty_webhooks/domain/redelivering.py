"""A merchant has a delivery sent once more, and now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, Row, bindparam, select, text

from loyalty_common.database import Conflict, Transaction
from loyalty_common.errors import NotFound
from loyalty_common.idempotency import Reply, replay_columns, same_key, stored_reply
from loyalty_webhooks.domain import delivery_queries, endpoint_states, shapes
from loyalty_webhooks.domain.acts import Act
from loyalty_webhooks.domain.errors import EndpointNotActive
from loyalty_webhooks.domain.queries import START
from loyalty_webhooks.domain.replies import answer_only
from loyalty_webhooks.models import QueuedDelivery, WebhookDelivery, WebhookEndpoint, idempotency

_DELIVERIES = WebhookDelivery.__table__
_ENDPOINTS = WebhookEndpoint.__table__
_QUEUED = QueuedDelivery.__table__
# Read again when the reply is repeated: what a person's erasure took out of the log must not stay in stored replies.
_NOT_STORED = ("payload", "attempts")
_ENDPOINT_COLUMNS = ("is_active", "disabled_at", "deleted_at")

# In this order: the endpoint, so that its deletion, which cancels, comes before or after; then the place in the queue,
# unless a sender has it, which alone then ends that. What is loaded as waiting under these locks stays so.
_LOCK_ENDPOINT = (
    select(_ENDPOINTS.c.id)
    .where(
        _ENDPOINTS.c.tenant_id == bindparam("tenant_id", type_=BigInteger),
        _ENDPOINTS.c.id == select(_DELIVERIES.c.endpoint_id).where(delivery_queries.IS_NAMED).scalar_subquery(),
    )
    .with_for_update(key_share=True)
)
_LOCK_WAITING = (
    select(_QUEUED.c.delivery_id)
    .where(
        _QUEUED.c.tenant_id == bindparam("tenant_id", type_=BigInteger),
        _QUEUED.c.delivery_id == bindparam("delivery_id", type_=BigInteger),
        _QUEUED.c.claim_id.is_(None),
    )
    .with_for_update()
)
_LOAD = select(
    *replay_columns(idempotency),
    *delivery_queries.COLUMNS,
    *(_ENDPOINTS.c[name] for name in _ENDPOINT_COLUMNS),
).select_from(
    START.outerjoin(idempotency, same_key(idempotency))
    .outerjoin(_DELIVERIES, delivery_queries.IS_NAMED)
    .outerjoin(_QUEUED, delivery_queries.IS_QUEUED)
    .outerjoin(
        _ENDPOINTS,
        (_ENDPOINTS.c.tenant_id == _DELIVERIES.c.tenant_id) & (_ENDPOINTS.c.id == _DELIVERIES.c.endpoint_id),
    )
)
# What waits already keeps its place if that is the better one.
_QUEUE = text("""
    with queued as (
        insert into delivery_queue (
            tenant_id, delivery_id, endpoint_id, event_id, event_created_at, attempt_count, next_attempt_at,
            gives_way)
        select tenant_id, id, endpoint_id, event_id, event_created_at, attempt_count, now(), true
          from webhook_deliveries
         where tenant_id = :tenant_id and id = :delivery_id and event_created_at = :event_created_at
        on conflict (tenant_id, delivery_id) do update
           set next_attempt_at = least(delivery_queue.next_attempt_at, excluded.next_attempt_at)
         where delivery_queue.claim_id is null
        returning next_attempt_at)
    update webhook_deliveries
       set status = 'pending', trigger = 'redelivery', next_attempt_at = queued.next_attempt_at, completed_at = null
      from queued
     where tenant_id = :tenant_id and id = :delivery_id and event_created_at = :event_created_at
    returning status, trigger, webhook_deliveries.next_attempt_at, completed_at
""")


def redeliver(tx: Transaction, *, delivery_id: int, act: Act) -> Reply:
    """The delivery, due now (200); as it is while it is being sent. Its attempts are counted on.

    One that was tried as often as the schedule has delays gets this one attempt more.
    """
    tx.execute(_LOCK_ENDPOINT, {"delivery_id": delivery_id})
    is_waiting = tx.execute(_LOCK_WAITING, {"delivery_id": delivery_id}).one_or_none() is not None
    loaded = tx.execute(_LOAD, {"delivery_id": delivery_id, "idempotency_key": act.request.key}).one()
    payload = None if loaded.id is None else delivery_queries.payload(tx, loaded)
    if payload is None:
        raise NotFound
    reply = stored_reply(loaded, act.request)
    if reply is not None:
        return _repeated(tx, reply, loaded, payload)
    if loaded.status == "pending" and not is_waiting:
        raise Conflict  # a sender has just given it back
    shown = {**loaded._mapping, "payload": payload}
    if loaded.status != "sending":
        check_open(shown)
        where = {"delivery_id": delivery_id, "event_created_at": loaded.event_created_at}
        shown |= tx.execute(_QUEUE, where).one()._mapping
    reply = Reply(200, shapes.delivery(shown, delivery_queries.attempts(tx, loaded)))
    return answer_only(tx, reply, act, not_stored=_NOT_STORED)


def check_open(endpoint: Mapping[Any, Any]) -> None:
    """``EndpointNotActive`` if nothing would be sent."""
    if endpoint["deleted_at"] is not None:
        raise EndpointNotActive("deleted")
    if not endpoint["is_active"]:
        raise EndpointNotActive(endpoint_states.status(endpoint))


def _repeated(tx: Transaction, reply: Reply, loaded: Row[Any], payload: str) -> Reply:
    attempts = delivery_queries.attempts(tx, loaded, up_to=reply.data["attempt_count"])
    again = {"payload": payload, "attempts": [shapes.attempt(each) for each in attempts]}
    return Reply(reply.status, {**reply.data, **again}, replayed=True)
