"""API keys being given out and taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, update

from loyalty_common.envelope import timestamp
from loyalty_gateway.domain import keys, organizations
from loyalty_gateway.domain.errors import AccountRefused
from loyalty_gateway.models import ApiKey
from loyalty_gateway.models.base import MODES

AREAS = ("customers", "programs", "vouchers", "webhooks", "account", "keys")
ALL_SCOPES = tuple(f"{area}:{right}" for area in AREAS for right in ("read", "write"))


def create(
    connection: Connection,
    *,
    organization_id: int,
    name: str,
    mode: str,
    scopes: Sequence[str],
    peppers: Mapping[int, bytes],
    entropy: bytes,
) -> dict[str, Any]:
    """The new key's object with ``key``, which nobody sees again: what is kept is a digest under the newest pepper."""
    organizations.check_exists(connection, organization_id)
    if mode not in MODES:
        raise AccountRefused(f"The mode must be one of: {', '.join(MODES)}.")
    if unknown := sorted(set(scopes) - set(ALL_SCOPES)):
        raise AccountRefused(f"Unknown scopes: {', '.join(unknown)}. Known: {', '.join(ALL_SCOPES)}.")
    key = keys.mint(mode=mode, entropy=entropy)
    version = max(peppers)
    row = (
        connection.execute(
            insert(ApiKey).returning(ApiKey.__table__),
            {
                "organization_id": organization_id,
                "mode": mode,
                "name": name,
                "kid": keys.kid_of(key),
                "digest": keys.digest(key, peppers[version]),
                "pepper_version": version,
                "last_four": key[-4:],
                "scopes": [scope for scope in ALL_SCOPES if scope in scopes],
            },
        )
        .mappings()
        .one()
    )
    return shape(row) | {"key": key}


def revoke(connection: Connection, *, api_key_id: int, now: datetime) -> dict[str, Any]:
    """The revoked key's object; revoking again changes nothing."""
    revoked = (
        update(ApiKey)
        .where(ApiKey.id == api_key_id)
        .values(revoked_at=func.coalesce(ApiKey.revoked_at, now))
        .returning(ApiKey.__table__)
    )
    row = connection.execute(revoked).mappings().one_or_none()
    if row is None:
        raise AccountRefused(f"There is no API key {api_key_id}.")
    return shape(row)


def shape(row: RowMapping) -> dict[str, Any]:
    return {
        "id": row["id"],
        "organization_id": row["organization_id"],
        "name": row["name"],
        "mode": row["mode"],
        "key_hint": f"lpk_{row['mode']}_{row['kid']}_…{row['last_four']}",
        "scopes": row["scopes"],
        "status": "active" if row["revoked_at"] is None else "revoked",
        "created_at": timestamp(row["created_at"]),
        "revoked_at": None if row["revoked_at"] is None else timestamp(row["revoked_at"]),
    }
