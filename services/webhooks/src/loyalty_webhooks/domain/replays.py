"""A replay is ordered, looked at and cancelled here; ``replaying`` carries it out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, bindparam, select

from loyalty_common.database import Transaction
from loyalty_common.errors import NotFound
from loyalty_common.idempotency import Reply, idempotency_row, replay_columns, same_key, stored_reply
from loyalty_common.record import Record
from loyalty_webhooks.domain import queries, shapes
from loyalty_webhooks.domain.acts import Act
from loyalty_webhooks.domain.errors import ReplayRunning
from loyalty_webhooks.models import WebhookEndpoint, WebhookReplay, idempotency, job_ids, replay_ids

_REPLAYS = WebhookReplay.__table__
_ENDPOINTS = WebhookEndpoint.__table__
_LOAD_NEW = select(
    replay_ids.next_value().label("replay_id"),
    job_ids.next_value().label("job_id"),
    _ENDPOINTS.c.id.label("endpoint_id"),
    _REPLAYS.c.id.label("open_replay_id"),
    *replay_columns(idempotency),
).select_from(
    queries.START.outerjoin(idempotency, same_key(idempotency))
    .outerjoin(_ENDPOINTS, queries.IS_PRESENT)
    .outerjoin(
        _REPLAYS,
        (_REPLAYS.c.tenant_id == _ENDPOINTS.c.tenant_id)
        & (_REPLAYS.c.endpoint_id == _ENDPOINTS.c.id)
        & _REPLAYS.c.due_at.is_not(None),
    )
)
_RECORD_NEW = Record(inserts=(_REPLAYS, idempotency))

_BY_ID = select(_REPLAYS).where(
    WebhookReplay.tenant_id == bindparam("tenant_id"), WebhookReplay.id == bindparam("replay_id")
)
_LOAD_ONE = (
    select(_REPLAYS, *replay_columns(idempotency))
    .select_from(_REPLAYS.outerjoin(idempotency, same_key(idempotency)))
    .where(WebhookReplay.tenant_id == bindparam("tenant_id"), WebhookReplay.id == bindparam("replay_id"))
    .with_for_update(of=_REPLAYS)
)
_STOP = Record(guard=(_REPLAYS, ("status", "due_at", "finished_at")), inserts=(idempotency,))


def create(tx: Transaction, *, endpoint_id: int, wanted: Mapping[str, Any], act: Act) -> Reply:
    """Queue a replay (201). ``wanted``: since, until, events, only. What happens from now on is sent anyway."""
    loaded = tx.execute(_LOAD_NEW, {"endpoint_id": endpoint_id, "idempotency_key": act.request.key}).one()
    if loaded.endpoint_id is None:
        raise NotFound
    reply = stored_reply(loaded, act.request)
    if reply is not None:
        return reply
    if loaded.open_replay_id is not None:
        raise ReplayRunning(loaded.open_replay_id)
    row = {
        **dict.fromkeys(("total", "error", "started_at", "finished_at")),
        "id": loaded.replay_id,
        "version": 1,
        "job_id": loaded.job_id,
        "endpoint_id": endpoint_id,
        "since": wanted["since"],
        "until": min(wanted["until"] or act.at, act.at),
        "events": wanted["events"],
        "only": wanted["only"],
        "status": "queued",
        "position": 0,
        "counted_to": 0,
        "counted": 0,
        "processed": 0,
        "due_at": act.at,
        "created_at": act.at,
    }
    reply = Reply(201, shapes.replay(row))
    _RECORD_NEW.write(tx, {_REPLAYS: [row], idempotency: [idempotency_row(act.request, reply, at=act.at)]})
    return reply


def cancel(tx: Transaction, *, replay_id: int, act: Act) -> Reply:
    """Nothing further is queued; what is queued is still sent. One that has ended stays as it is."""
    loaded = tx.execute(_LOAD_ONE, {"replay_id": replay_id, "idempotency_key": act.request.key}).one_or_none()
    if loaded is None:
        raise NotFound
    reply = stored_reply(loaded, act.request)
    if reply is not None:
        return reply
    row, stopped = loaded._asdict(), []
    if loaded.due_at is not None:
        row |= {"status": "cancelled", "due_at": None, "finished_at": act.at}
        stopped = [{name: row[name] for name in ("id", "version", "status", "due_at", "finished_at")}]
    reply = Reply(200, shapes.replay(row))
    _STOP.write(tx, {idempotency: [idempotency_row(act.request, reply, at=act.at)]}, guard=stopped)
    return reply


def by_id(tx: Transaction, *, replay_id: int) -> Row[Any] | None:
    return tx.execute(_BY_ID, {"replay_id": replay_id}).one_or_none()
