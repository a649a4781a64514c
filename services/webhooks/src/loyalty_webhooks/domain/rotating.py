"""A new signing secret, and for how long the one before it still signs beside it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from loyalty_common.database import Transaction
from loyalty_common.errors import NotFound
from loyalty_common.idempotency import Reply, idempotency_row, replay_columns, same_key, stored_reply
from loyalty_common.record import Record
from loyalty_webhooks.domain import queries, shapes
from loyalty_webhooks.domain.acts import Act
from loyalty_webhooks.domain.secret_box import SecretBox, hint
from loyalty_webhooks.models import WebhookEndpoint, idempotency

MAX_OVERLAP_HOURS = 168
_ENDPOINTS = WebhookEndpoint.__table__
_SECRETS = ("sealed_secret", "signing_secret_hint", "previous_sealed_secret", "previous_secret_expires_at")
# The clock by which senders judge the end of the overlap, read once the endpoint is locked.
_LOAD = select(
    *replay_columns(idempotency), func.clock_timestamp().label("database_now"), *queries.COLUMNS
).select_from(queries.START.outerjoin(idempotency, same_key(idempotency)).outerjoin(_ENDPOINTS, queries.IS_PRESENT))
_RECORD = Record(guard=(_ENDPOINTS, (*_SECRETS, "updated_at")), inserts=(idempotency,))


def rotate(
    tx: Transaction,
    *,
    endpoint_id: int,
    overlap_hours: int,
    signing_secret: str,
    secret_box: SecretBox,
    act: Act,
) -> Reply:
    """The endpoint with its new secret (200). What is claimed from the commit on is signed with it.

    A secret that was in its own overlap goes at once: at most two are valid.
    """
    tx.execute(queries.LOCK, {"endpoint_id": endpoint_id})
    loaded = tx.execute(_LOAD, {"endpoint_id": endpoint_id, "idempotency_key": act.request.key}).one()
    if loaded.id is None:
        raise NotFound
    reply = stored_reply(loaded, act.request)
    if reply is not None:
        return reply
    rotated: dict[str, Any] = {
        "sealed_secret": secret_box.seal(signing_secret, tenant_id=tx.tenant_id, endpoint_id=endpoint_id),
        "signing_secret_hint": hint(signing_secret),
        "previous_sealed_secret": loaded.sealed_secret if overlap_hours else None,
        "previous_secret_expires_at": loaded.database_now + timedelta(hours=overlap_hours) if overlap_hours else None,
        "updated_at": act.at,
    }
    reply = Reply(200, {**shapes.endpoint(loaded._asdict() | rotated), "signing_secret": signing_secret})
    _RECORD.write(
        tx,
        {idempotency: [idempotency_row(act.request, reply, at=act.at, secrets=("signing_secret",))]},
        guard=[{"id": endpoint_id, "version": loaded.version, **rotated}],
    )
    return reply
