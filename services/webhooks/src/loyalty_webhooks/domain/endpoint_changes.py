"""Merchants change an endpoint, pause it and open it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from loyalty_common.database import Transaction
from loyalty_common.errors import NotFound
from loyalty_common.idempotency import Reply, idempotency_row, replay_columns, same_key, stored_reply
from loyalty_common.record import Record
from loyalty_webhooks.domain import lanes, queries, shapes
from loyalty_webhooks.domain.acts import Act
from loyalty_webhooks.domain.endpoint_states import REOPENED, starts_anew
from loyalty_webhooks.domain.errors import EndpointAddressRefused
from loyalty_webhooks.domain.replies import answer_only
from loyalty_webhooks.models import WebhookEndpoint, idempotency

_ENDPOINTS = WebhookEndpoint.__table__
_SETTINGS = ("url", "events", "description", "is_active", "max_in_flight", "rate_limit_per_second")
_LOAD = select(*replay_columns(idempotency), *queries.COLUMNS).select_from(
    queries.START.outerjoin(idempotency, same_key(idempotency)).outerjoin(_ENDPOINTS, queries.IS_PRESENT)
)
_RECORD = Record(guard=(_ENDPOINTS, (*_SETTINGS, *REOPENED, "updated_at")), inserts=(idempotency,))


def update(
    tx: Transaction,
    *,
    endpoint_id: int,
    changes: Mapping[str, Any],
    address_refusal: EndpointAddressRefused | None,
    act: Act,
) -> Reply:
    """The endpoint with ``changes`` to some of its settings (200); untouched if nothing is new.

    ``address_refusal`` is what came of looking at a new url's host, outside the transaction.
    """
    tx.execute(queries.LOCK, {"endpoint_id": endpoint_id})
    loaded = tx.execute(_LOAD, {"endpoint_id": endpoint_id, "idempotency_key": act.request.key}).one()
    if loaded.id is None:
        raise NotFound
    reply = stored_reply(loaded, act.request)
    if reply is not None:
        return reply
    if address_refusal is not None:
        raise address_refusal
    stored = {name: loaded._mapping[name] for name in (*_SETTINGS, *REOPENED)}
    changed = changed_settings(stored, changes)
    if changed == stored:
        return answer_only(tx, Reply(200, shapes.endpoint(loaded._mapping)), act)
    is_new = starts_anew(stored, changed)
    changed |= {"updated_at": act.at}
    reply = Reply(200, shapes.endpoint(loaded._asdict() | changed | ({"is_blocked": False} if is_new else {})))
    _RECORD.write(
        tx,
        {idempotency: [idempotency_row(act.request, reply, at=act.at)]},
        guard=[{"id": endpoint_id, "version": loaded.version, **changed}],
    )
    if is_new:
        lanes.forget(tx, endpoint_id=endpoint_id)
    return reply


def changed_settings(stored: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """To set ``is_active`` opens what we closed ourselves, too. Pure."""
    return {**stored, **changes, **(REOPENED if changes.get("is_active") else {})}
