"""API keys as they are shown: by their hint, never more."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, and_, or_, select
from sqlalchemy.sql.elements import ColumnElement

from loyalty_common.envelope import timestamp
from loyalty_gateway.domain.actors import Actor
from loyalty_gateway.domain.key_rules import ACTIVE, EXPIRED, EXPIRING, REVOKED, Key, status_of
from loyalty_gateway.domain.scopes import Authority
from loyalty_gateway.models import ApiKey


def visible(organization_id: int, authority: Authority) -> Select[Any]:
    """A caller of the test mode does not see that there are live keys."""
    keys = select(ApiKey.__table__).where(ApiKey.organization_id == organization_id)
    return keys.where(ApiKey.mode.in_(authority.modes))


def matching(
    organization_id: int, authority: Authority, *, status: str | None, mode: str | None, now: datetime
) -> Select[Any]:
    keys = visible(organization_id, authority)
    if mode is not None:
        keys = keys.where(ApiKey.mode == mode)
    return keys if status is None else keys.where(_has_status(status, now=now))


def find(connection: Connection, *, organization_id: int, api_key_id: int, authority: Authority) -> RowMapping | None:
    """``None`` also for a key of another organization."""
    found = visible(organization_id, authority).where(ApiKey.id == api_key_id)
    return connection.execute(found).mappings().one_or_none()


def shape(row: Key, *, now: datetime) -> dict[str, Any]:
    moments = ("created_at", "last_used_at", "expires_at", "revoked_at")
    return {
        "id": row["id"],
        "name": row["name"],
        "mode": row["mode"],
        "key_hint": f"lpk_{row['mode']}_{row['kid']}_…{row['last_four']}",
        "scopes": row["scopes"],
        "allowed_cidrs": [str(network) for network in row["allowed_cidrs"]],
        "status": status_of(row, now=now),
        "created_by": Actor(row["created_by_type"], row["created_by_id"], row["created_by_name"]).shape(),
        **{name: None if row[name] is None else timestamp(row[name]) for name in moments},
        "replaced_by_id": row["replaced_by_id"],
    }


def _has_status(status: str, *, now: datetime) -> ColumnElement[bool]:
    """``key_rules.status_of``, for the database."""
    lasts = or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now)
    conditions: dict[str, ColumnElement[bool]] = {
        REVOKED: ApiKey.revoked_at.is_not(None),
        EXPIRED: and_(ApiKey.revoked_at.is_(None), ApiKey.expires_at <= now),
        EXPIRING: and_(ApiKey.revoked_at.is_(None), lasts, ApiKey.replaced_by_id.is_not(None)),
        ACTIVE: and_(ApiKey.revoked_at.is_(None), lasts, ApiKey.replaced_by_id.is_(None)),
    }
    return conditions[status]
