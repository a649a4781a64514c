"""The audit log: every change of an account, written in the transaction of the change. Never a secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, Select, insert, select

from loyalty_common.envelope import timestamp
from loyalty_gateway.domain.actors import OPERATOR, Actor
from loyalty_gateway.models import AuditEntry

Changes = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Occasion:
    """Who is doing something, when and from where: what the entries of one call have in common."""

    actor: Actor
    at: datetime
    ip_address: str | None = None
    request_id: str | None = None

    @classmethod
    def of_operator(cls, at: datetime) -> Self:
        return cls(OPERATOR, at)


@dataclass(frozen=True, slots=True)
class Subject:
    """What it was done to: ``type`` is the noun as in ``<noun>_id``."""

    type: str
    id: int
    name: str


def record(
    connection: Connection,
    occasion: Occasion,
    *,
    organization_id: int,
    action: str,
    subject: Subject,
    changes: Changes | None = None,
) -> None:
    """``action`` is ``<noun>.<past participle>``; ``changes`` are JSON-ready and hold nothing that opens anything."""
    connection.execute(
        insert(AuditEntry),
        {
            "organization_id": organization_id,
            "action": action,
            "actor_type": occasion.actor.type,
            "actor_id": occasion.actor.id,
            "actor_name": occasion.actor.name,
            "subject_type": subject.type,
            "subject_id": subject.id,
            "subject_name": subject.name,
            "changes": dict(changes or {}),
            "ip_address": occasion.ip_address,
            "request_id": occasion.request_id,
            "created_at": occasion.at,
        },
    )


def differences(before: Mapping[Any, Any] | None, after: Mapping[Any, Any], fields: Sequence[str]) -> Changes:
    """``{field: [old, new]}`` of two shapes, as far as they differ; before it came into being, all was null."""
    old = before or {}
    return {field: [old.get(field), after[field]] for field in fields if old.get(field) != after[field]}


def matching(organization_id: int, filters: Mapping[str, Any], *, time_zone: str) -> Select[Any]:
    """``filters``: actor_type, action, first and last, each a date or a moment, both included."""
    entries = select(AuditEntry.__table__).where(AuditEntry.organization_id == organization_id)
    for name in ("actor_type", "action"):
        if filters[name] is not None:
            entries = entries.where(getattr(AuditEntry, name) == filters[name])
    if filters["first"] is not None:
        entries = entries.where(AuditEntry.created_at >= _beginning(filters["first"], time_zone))
    if filters["last"] is not None:
        entries = entries.where(AuditEntry.created_at < _end(filters["last"], time_zone))
    return entries


def _beginning(first: date | datetime, time_zone: str) -> datetime:
    return first if isinstance(first, datetime) else datetime.combine(first, time.min, ZoneInfo(time_zone))


def _end(last: date | datetime, time_zone: str) -> datetime:
    if isinstance(last, datetime):
        # Times are shown without fractions: the second that was asked for is meant to its end.
        return last.replace(microsecond=0) + timedelta(seconds=1)
    return _beginning(last + timedelta(days=1), time_zone)


def shape(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "action": row.action,
        "actor": Actor(row.actor_type, row.actor_id, row.actor_name).shape(),
        "subject": {"type": row.subject_type, "id": row.subject_id, "name": row.subject_name},
        "changes": row.changes,
        "ip_address": row.ip_address,
        "request_id": row.request_id,
        "created_at": timestamp(row.created_at),
    }
