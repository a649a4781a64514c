"""Reads of endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, Select, bindparam, select

from loyalty_common.database import Transaction
from loyalty_common.envelope import timestamp
from loyalty_webhooks.models import WebhookEndpoint

_ENDPOINT = WebhookEndpoint.__table__
NEWEST_FIRST = (WebhookEndpoint.created_at, WebhookEndpoint.id)
_PRESENT = select(_ENDPOINT).where(
    WebhookEndpoint.tenant_id == bindparam("tenant_id"), WebhookEndpoint.deleted_at.is_(None)
)
_BY_ID = _PRESENT.where(WebhookEndpoint.id == bindparam("endpoint_id"))


def by_id(tx: Transaction, *, endpoint_id: int) -> Row[Any] | None:
    return tx.execute(_BY_ID, {"endpoint_id": endpoint_id}).one_or_none()


def matching(query: Mapping[str, Any]) -> Select[Any]:
    """Endpoints that a list's filters leave."""
    if query["is_active"] is None:
        return _PRESENT
    return _PRESENT.where(WebhookEndpoint.is_active == (query["is_active"] == "true"))


def shown(row: Row[Any] | Mapping[str, Any]) -> dict[str, Any]:
    """The endpoint as the API answers it: everything but the secret."""
    endpoint = row if isinstance(row, Mapping) else row._mapping
    return {
        **{name: endpoint[name] for name in ("id", "url", "description", "events", "is_active")},
        "status": _status(endpoint),
        "disabled_reason": endpoint["disabled_reason"],
        "disabled_at": _moment(endpoint["disabled_at"]),
        "max_in_flight": endpoint["max_in_flight"],
        "rate_limit_per_second": endpoint["rate_limit_per_second"],
        "signing_secret_hint": endpoint["signing_secret_hint"],
        "previous_secret_expires_at": _moment(endpoint["previous_secret_expires_at"]),
        "created_at": timestamp(endpoint["created_at"]),
        "updated_at": timestamp(endpoint["updated_at"]),
    }


def _status(endpoint: Mapping[Any, Any]) -> str:
    if endpoint["disabled_at"] is not None:
        return "disabled"
    return "active" if endpoint["is_active"] else "paused"


def _moment(moment: Any) -> str | None:
    return None if moment is None else timestamp(moment)
