"""Endpoints are made and deleted."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, text

from loyalty_common.database import Transaction
from loyalty_common.envelope import timestamp
from loyalty_common.errors import NotFound
from loyalty_common.idempotency import Reply, idempotency_row, replay_columns, same_key, stored_reply
from loyalty_common.record import Record
from loyalty_webhooks.domain import lanes, queries, shapes
from loyalty_webhooks.domain.acts import Act
from loyalty_webhooks.domain.errors import EndpointAddressRefused
from loyalty_webhooks.domain.secret_box import SecretBox, hint
from loyalty_webhooks.models import WebhookEndpoint, endpoint_ids, idempotency

_ENDPOINTS = WebhookEndpoint.__table__
_SECRETS_IN_REPLY = ("signing_secret",)

_LOAD_NEW = select(endpoint_ids.next_value().label("next_id"), *replay_columns(idempotency)).select_from(
    queries.START.outerjoin(idempotency, same_key(idempotency))
)
_RECORD_NEW = Record(inserts=(_ENDPOINTS, idempotency))

# Intake holds the same row from its numbers to its commit: what it owes this endpoint is there to be cancelled, or
# it comes later and no longer finds the endpoint.
_LOCK_LOG = text("""
    insert into event_sequences (tenant_id, last_sequence) values (:tenant_id, 0)
    on conflict (tenant_id) do update set last_sequence = event_sequences.last_sequence
""")
_LOAD_EXISTING = select(_ENDPOINTS.c.id, _ENDPOINTS.c.version, *replay_columns(idempotency)).select_from(
    queries.START.outerjoin(idempotency, same_key(idempotency)).outerjoin(_ENDPOINTS, queries.IS_PRESENT)
)
_RECORD_DELETED = Record(
    guard=(_ENDPOINTS, ("is_active", "sealed_secret", "previous_sealed_secret", "updated_at", "deleted_at")),
    inserts=(idempotency,),
)
_CANCEL = text("""
    with cancelled as (
        delete from delivery_queue where tenant_id = :tenant_id and endpoint_id = :endpoint_id
        returning delivery_id, event_created_at)
    update webhook_deliveries delivery set status = 'cancelled', next_attempt_at = null, completed_at = :at
      from cancelled
     where delivery.tenant_id = :tenant_id and delivery.id = cancelled.delivery_id
       and delivery.event_created_at = cancelled.event_created_at
""")


def create(
    tx: Transaction,
    *,
    settings: dict[str, Any],
    signing_secret: str,
    secret_box: SecretBox,
    address_refusal: EndpointAddressRefused | None,
    act: Act,
) -> Reply:
    """A new endpoint (201). ``settings``: what a merchant can choose, whole.

    ``address_refusal`` is what came of looking at the host, outside the transaction; a replay is answered all the same.
    """
    loaded = tx.execute(_LOAD_NEW, {"idempotency_key": act.request.key}).one()
    reply = stored_reply(loaded, act.request)
    if reply is not None:
        return reply
    if address_refusal is not None:
        raise address_refusal
    endpoint = dict.fromkeys(_ENDPOINTS.c.keys()) | settings
    endpoint |= {"id": loaded.next_id, "version": 1, "created_at": act.at, "updated_at": act.at}
    endpoint |= {
        "sealed_secret": secret_box.seal(signing_secret, tenant_id=tx.tenant_id, endpoint_id=loaded.next_id),
        "signing_secret_hint": hint(signing_secret),
    }
    del endpoint["tenant_id"]
    reply = Reply(201, {**shapes.endpoint({**endpoint, "is_blocked": False}), "signing_secret": signing_secret})
    stored = idempotency_row(act.request, reply, at=act.at, secrets=_SECRETS_IN_REPLY)
    _RECORD_NEW.write(tx, {_ENDPOINTS: [endpoint], idempotency: [stored]})
    return reply


def delete(tx: Transaction, *, endpoint_id: int, act: Act) -> Reply:
    """Forget the secrets and cancel what is pending. An attempt under way is not recorded any more."""
    tx.execute(_LOCK_LOG)
    loaded = tx.execute(_LOAD_EXISTING, {"endpoint_id": endpoint_id, "idempotency_key": act.request.key}).one()
    reply = stored_reply(loaded, act.request)
    if reply is not None:
        return reply
    if loaded.id is None:
        raise NotFound
    reply = Reply(200, {"id": endpoint_id, "deleted_at": timestamp(act.at)})
    deleted = {"id": endpoint_id, "version": loaded.version, "is_active": False}
    deleted |= {"sealed_secret": None, "previous_sealed_secret": None, "updated_at": act.at, "deleted_at": act.at}
    _RECORD_DELETED.write(tx, {idempotency: [idempotency_row(act.request, reply, at=act.at)]}, guard=[deleted])
    tx.execute(_CANCEL, {"endpoint_id": endpoint_id, "at": act.at})
    lanes.forget(tx, endpoint_id=endpoint_id)
    return reply
