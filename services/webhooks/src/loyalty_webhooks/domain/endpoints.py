"""The only writer of endpoints, but for the sender that closes one which answered 410."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, literal, select, text

from loyalty_common.database import Transaction
from loyalty_common.envelope import timestamp
from loyalty_common.errors import NotFound
from loyalty_common.idempotency import Reply, RequestKey, idempotency_row, replay_columns, same_key, stored_reply
from loyalty_common.record import Record
from loyalty_webhooks.domain import queries
from loyalty_webhooks.domain.errors import EndpointAddressRefused
from loyalty_webhooks.domain.secret_box import SecretBox, hint
from loyalty_webhooks.models import WebhookEndpoint, endpoint_ids, idempotency

_ENDPOINTS = WebhookEndpoint.__table__
_SECRETS_IN_REPLY = ("signing_secret",)
_FACTS = select(literal(1).label("one")).subquery("facts")

_LOAD_NEW = select(endpoint_ids.next_value().label("next_id"), *replay_columns(idempotency)).select_from(
    _FACTS.outerjoin(idempotency, same_key(idempotency))
)
_RECORD_NEW = Record(inserts=(_ENDPOINTS, idempotency))

# Intake holds the same row from its numbers to its commit: what it owes this endpoint is there to be cancelled, or
# it comes later and no longer finds the endpoint.
_LOCK_LOG = text("""
    insert into event_sequences (tenant_id, last_sequence) values (:tenant_id, 0)
    on conflict (tenant_id) do update set last_sequence = event_sequences.last_sequence
""")
_LOAD_EXISTING = select(_ENDPOINTS.c.id, _ENDPOINTS.c.version, *replay_columns(idempotency)).select_from(
    _FACTS.outerjoin(idempotency, same_key(idempotency)).outerjoin(
        _ENDPOINTS,
        and_(
            _ENDPOINTS.c.tenant_id == bindparam("tenant_id"),
            _ENDPOINTS.c.id == bindparam("endpoint_id"),
            _ENDPOINTS.c.deleted_at.is_(None),
        ),
    )
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
    request: RequestKey,
    at: datetime,
) -> Reply:
    """A new endpoint (201). ``settings``: url, events, description, is_active, max_in_flight.

    ``address_refusal`` is what came of looking at the host, outside the transaction; a replay is answered all the same.
    """
    loaded = tx.execute(_LOAD_NEW, {"idempotency_key": request.key}).one()
    reply = stored_reply(loaded, request)
    if reply is not None:
        return reply
    if address_refusal is not None:
        raise address_refusal
    endpoint = dict.fromkeys(_ENDPOINTS.c.keys()) | settings
    endpoint |= {"id": loaded.next_id, "version": 1, "created_at": at, "updated_at": at}
    endpoint |= {
        "sealed_secret": secret_box.seal(signing_secret, tenant_id=tx.tenant_id, endpoint_id=loaded.next_id),
        "signing_secret_hint": hint(signing_secret),
    }
    del endpoint["tenant_id"]
    reply = Reply(201, {**queries.shown(endpoint), "signing_secret": signing_secret})
    stored = idempotency_row(request, reply, at=at, secrets=_SECRETS_IN_REPLY)
    _RECORD_NEW.write(tx, {_ENDPOINTS: [endpoint], idempotency: [stored]})
    return reply


def delete(tx: Transaction, *, endpoint_id: int, request: RequestKey, at: datetime) -> Reply:
    """Forget the secrets and cancel what is pending. An attempt under way is not recorded any more."""
    tx.execute(_LOCK_LOG)
    loaded = tx.execute(_LOAD_EXISTING, {"endpoint_id": endpoint_id, "idempotency_key": request.key}).one()
    reply = stored_reply(loaded, request)
    if reply is not None:
        return reply
    if loaded.id is None:
        raise NotFound
    reply = Reply(200, {"id": endpoint_id, "deleted_at": timestamp(at)})
    deleted = {"id": endpoint_id, "version": loaded.version, "is_active": False, "updated_at": at, "deleted_at": at}
    deleted |= {"sealed_secret": None, "previous_sealed_secret": None}
    _RECORD_DELETED.write(tx, {idempotency: [idempotency_row(request, reply, at=at)]}, guard=[deleted])
    tx.execute(_CANCEL, {"endpoint_id": endpoint_id, "at": at})
    return reply
