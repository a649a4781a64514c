"""Reads of endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, Row, Select, and_, bindparam, exists, func, literal_column, select

from loyalty_common.database import Transaction
from loyalty_webhooks.models import Lane, WebhookEndpoint

_ENDPOINT = WebhookEndpoint.__table__
_LANE = Lane.__table__
NEWEST_FIRST = (WebhookEndpoint.created_at, WebhookEndpoint.id)
START = select(literal_column("1").label("one")).subquery("start")
IS_PRESENT = and_(
    _ENDPOINT.c.tenant_id == bindparam("tenant_id", type_=BigInteger),
    _ENDPOINT.c.id == bindparam("endpoint_id", type_=BigInteger),
    _ENDPOINT.c.deleted_at.is_(None),
)
# Whoever changes an endpoint queues here.
LOCK = select(_ENDPOINT.c.id).where(IS_PRESENT).with_for_update(key_share=True)

# Whether the breaker keeps senders from it. A pause that the receiver asked for is none of its doing.
_IS_BLOCKED = (
    exists()
    .where(
        _LANE.c.tenant_id == _ENDPOINT.c.tenant_id,
        _LANE.c.endpoint_id == _ENDPOINT.c.id,
        _LANE.c.times_opened > 0,
        _LANE.c.blocked_until > func.now(),
    )
    .correlate(_ENDPOINT)
    .label("is_blocked")
)
COLUMNS = (*_ENDPOINT.c, _IS_BLOCKED)
"""All that an endpoint's shape is made of."""

_PRESENT = select(*COLUMNS).where(
    WebhookEndpoint.tenant_id == bindparam("tenant_id"), WebhookEndpoint.deleted_at.is_(None)
)
_BY_ID = select(*COLUMNS).where(IS_PRESENT)


def by_id(tx: Transaction, *, endpoint_id: int) -> Row[Any] | None:
    return tx.execute(_BY_ID, {"endpoint_id": endpoint_id}).one_or_none()


def matching(query: Mapping[str, Any]) -> Select[Any]:
    """Endpoints that a list's filters leave."""
    if query["is_active"] is None:
        return _PRESENT
    return _PRESENT.where(WebhookEndpoint.is_active == (query["is_active"] == "true"))
