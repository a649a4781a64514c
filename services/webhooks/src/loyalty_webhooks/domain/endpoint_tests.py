"""A merchant tries an endpoint: one request, now, of which nothing is logged.

The key is taken before the request is made and gets its reply afterwards, so that no repetition sends again, not even
one that comes while the first is still waiting for its receiver. If the process dies in between, the outcome is lost
with it; a repetition after that sends, as a delivery would be.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Row, case, func, select, text

from loyalty_common.database import Conflict, Transaction
from loyalty_common.envelope import timestamp
from loyalty_common.errors import NotFound, RequestInProgress
from loyalty_common.idempotency import Reply, idempotency_row, replay_columns, same_key, stored_reply
from loyalty_common.record import Record
from loyalty_webhooks.domain import queries, shapes
from loyalty_webhooks.domain.acts import Act
from loyalty_webhooks.domain.errors import TooManyTests
from loyalty_webhooks.domain.outcomes import Attempt
from loyalty_webhooks.events import TEST_EVENT
from loyalty_webhooks.models import WebhookEndpoint, delivery_ids, idempotency

PATIENCE = timedelta(seconds=60)
"""Longer than any test lasts: a key that was taken so long ago has lost its process."""

_UNDER_WAY = Reply(0, {})
_ENDPOINTS = WebhookEndpoint.__table__
_PREVIOUS = case(
    (_ENDPOINTS.c.previous_secret_expires_at > func.now(), _ENDPOINTS.c.previous_sealed_secret), else_=None
)
# The delivery's number is one that no delivery has: receivers may take it for a key.
_LOAD = select(
    *replay_columns(idempotency),
    idempotency.c.created_at.label("taken_at"),
    delivery_ids.next_value().label("delivery_id"),
    _ENDPOINTS.c.id.label("endpoint_id"),
    _ENDPOINTS.c.url,
    _ENDPOINTS.c.sealed_secret,
    _PREVIOUS.label("previous_sealed_secret"),
).select_from(queries.START.outerjoin(idempotency, same_key(idempotency)).outerjoin(_ENDPOINTS, queries.IS_PRESENT))
_TAKE = Record(inserts=(idempotency,))
_TAKE_OVER = text("""
    update idempotency set created_at = :at
     where tenant_id = :tenant_id and key = :key and status = 0 and created_at = :taken_at
""")
_FINISH = text("""
    update idempotency set status = :status, body = :body
     where tenant_id = :tenant_id and key = :key and status = 0 and created_at = :at
""")


@dataclass(frozen=True, slots=True)
class EndpointTest:
    """What is to be sent. The secrets are those of now."""

    tenant_id: int
    endpoint_id: int
    delivery_id: int
    url: str
    sealed_secret: str
    previous_sealed_secret: str | None


def begin(tx: Transaction, *, endpoint_id: int, has_room: bool, act: Act) -> EndpointTest | Reply:
    """Take the key; a ``Reply`` if it was used before. ``has_room``: whether the process may wait for one more."""
    loaded = tx.execute(_LOAD, {"endpoint_id": endpoint_id, "idempotency_key": act.request.key}).one()
    if loaded.endpoint_id is None:
        raise NotFound
    reply = stored_reply(loaded, act.request)
    if reply is not None and reply.status != _UNDER_WAY.status:
        return reply
    # Taken by this very act: its commit went through, and the answer to it was lost.
    if reply is None or loaded.taken_at != act.at:
        if reply is not None and act.at - loaded.taken_at < PATIENCE:
            raise RequestInProgress
        if not has_room:
            raise TooManyTests
        _take(tx, loaded, act)
    return EndpointTest(
        tenant_id=tx.tenant_id,
        endpoint_id=endpoint_id,
        **{name: loaded._mapping[name] for name in ("delivery_id", "url", "sealed_secret", "previous_sealed_secret")},
    )


def _take(tx: Transaction, loaded: Row[Any], act: Act) -> None:
    if loaded.taken_at is None:
        _TAKE.write(tx, {idempotency: [idempotency_row(act.request, _UNDER_WAY, at=act.at)]})
        return
    taken = {"key": act.request.key, "taken_at": loaded.taken_at, "at": act.at}
    if tx.execute(_TAKE_OVER, taken).rowcount == 0:
        raise Conflict


def finish(tx: Transaction, *, attempt: Attempt, act: Act) -> Reply:
    """What the receiver said, whatever it said (200)."""
    reply = Reply(200, {"delivered": attempt.succeeded, "attempt": shapes.attempt(asdict(attempt))})
    body = orjson.dumps(reply.data).decode()
    tx.execute(_FINISH, {"status": reply.status, "body": body, "key": act.request.key, "at": act.at})
    return reply


def payload(*, event_id: str, endpoint_id: int, at: datetime) -> bytes:
    """The envelope of every event, but in no log and without a place there."""
    return orjson.dumps(
        {
            "id": event_id,
            "event": TEST_EVENT,
            "created_at": timestamp(at),
            "sequence": None,
            "data": {"message": "This is a test.", "endpoint_id": endpoint_id},
        }
    )
