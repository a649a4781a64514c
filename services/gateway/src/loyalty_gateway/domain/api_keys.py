"""API keys being given out, changed, replaced and taken back.

Each change writes its audit entry and tells every gateway process in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from loyalty_common.errors import NotFound
from loyalty_gateway.domain import audit, key_rules, keys, organizations, revocations
from loyalty_gateway.domain.audit import Occasion, Subject
from loyalty_gateway.domain.errors import AccountRefused
from loyalty_gateway.domain.key_queries import shape, visible
from loyalty_gateway.domain.key_rules import Key
from loyalty_gateway.domain.scopes import ALL_SCOPES, Authority, in_order
from loyalty_gateway.models import ApiKey
from loyalty_gateway.models.base import MODES

_INHERITED = tuple("organization_id mode name scopes allowed_cidrs expires_at requests_per_minute burst".split())
_AUDITED = ("name", "mode", "scopes", "allowed_cidrs", "status", "expires_at", "replaced_by_id")


def create(
    connection: Connection,
    *,
    organization_id: int,
    name: str,
    mode: str,
    scopes: Sequence[str],
    peppers: Mapping[int, bytes],
    entropy: bytes,
    occasion: Occasion,
    allowed_cidrs: Sequence[str] = (),
    expires_at: datetime | None = None,
) -> dict[str, Any]:
    """The new key's object with ``key``, which nobody sees again: what is kept is a digest under the newest pepper."""
    organizations.check_exists(connection, organization_id)
    if mode not in MODES:
        raise AccountRefused(f"The mode must be one of: {', '.join(MODES)}.")
    if unknown := sorted(set(scopes) - set(ALL_SCOPES)):
        raise AccountRefused(f"Unknown scopes: {', '.join(unknown)}. Known: {', '.join(ALL_SCOPES)}.")
    key_rules.check_expiry(expires_at, now=occasion.at)
    fields = {
        "organization_id": organization_id,
        "name": name,
        "mode": mode,
        "scopes": in_order(scopes),
        "allowed_cidrs": list(allowed_cidrs),
        "expires_at": expires_at,
    }
    row, key = _insert(connection, fields, peppers=peppers, entropy=entropy, occasion=occasion)
    return shape(row, now=occasion.at) | {"key": key}


def change(
    connection: Connection,
    *,
    organization_id: int,
    api_key_id: int,
    changes: Mapping[str, Any],
    authority: Authority,
    occasion: Occasion,
) -> dict[str, Any]:
    """The key with ``changes`` (name, scopes, allowed_cidrs, expires_at)."""
    before = _locked(connection, organization_id=organization_id, api_key_id=api_key_id, authority=authority)
    key_rules.check_change(before, changes, authority=authority, now=occasion.at)
    return _update(connection, before, changes, action="api_key.updated", occasion=occasion)


def revoke(
    connection: Connection, *, organization_id: int, api_key_id: int, authority: Authority, occasion: Occasion
) -> dict[str, Any]:
    """The revoked key's object; revoking again changes nothing. Who may manage keys may end any that he sees."""
    before = _locked(connection, organization_id=organization_id, api_key_id=api_key_id, authority=authority)
    changes = {} if before["revoked_at"] is not None else {"revoked_at": occasion.at}
    return _update(connection, before, changes, action="api_key.revoked", occasion=occasion)


def rotate(
    connection: Connection,
    *,
    organization_id: int,
    api_key_id: int,
    overlap: timedelta,
    peppers: Mapping[int, bytes],
    entropy: bytes,
    authority: Authority,
    occasion: Occasion,
) -> dict[str, Any]:
    """A new key like the old one in all but its secret, with ``key`` and, as ``replaces``, the old one.

    The old one goes on for ``overlap``, but never longer than it would have anyway.
    """
    old = _locked(connection, organization_id=organization_id, api_key_id=api_key_id, authority=authority)
    ends_at = key_rules.end_after_rotation(old, overlap=overlap, authority=authority, now=occasion.at)
    successor, key = _insert(
        connection, {name: old[name] for name in _INHERITED}, peppers=peppers, entropy=entropy, occasion=occasion
    )
    ending = {"expires_at": ends_at, "replaced_by_id": successor["id"]}
    replaced = _update(connection, old, ending, action="api_key.rotated", occasion=occasion)
    return shape(successor, now=occasion.at) | {"key": key, "replaces": replaced}


def organization_of(connection: Connection, api_key_id: int) -> int:
    """For an operator, who knows the key's id alone."""
    found = connection.execute(select(ApiKey.organization_id).where(ApiKey.id == api_key_id)).scalar()
    if found is None:
        raise AccountRefused(f"There is no API key {api_key_id}.")
    return found


def _locked(connection: Connection, *, organization_id: int, api_key_id: int, authority: Authority) -> dict[str, Any]:
    found = visible(organization_id, authority).where(ApiKey.id == api_key_id).with_for_update()
    row = connection.execute(found).mappings().one_or_none()
    if row is None:
        raise NotFound
    return {**row, "allowed_cidrs": [str(network) for network in row["allowed_cidrs"]]}


def _insert(
    connection: Connection,
    fields: Mapping[str, Any],
    *,
    peppers: Mapping[int, bytes],
    entropy: bytes,
    occasion: Occasion,
) -> tuple[RowMapping, str]:
    key = keys.mint(mode=fields["mode"], entropy=entropy)
    version = max(peppers)
    kept = {
        **fields,
        "kid": keys.kid_of(key),
        "digest": keys.digest(key, peppers[version]),
        "pepper_version": version,
        "last_four": key[-4:],
        "created_at": occasion.at,
        **{f"created_by_{name}": value for name, value in occasion.actor.shape().items()},
    }
    row = connection.execute(insert(ApiKey).returning(ApiKey.__table__), kept).mappings().one()
    _tell(connection, None, row, action="api_key.created", occasion=occasion)
    return row, key


def _update(
    connection: Connection, before: Key, changes: Mapping[str, Any], *, action: str, occasion: Occasion
) -> dict[str, Any]:
    changes = {name: value for name, value in changes.items() if value != before[name]}
    if not changes:
        return shape(before, now=occasion.at)
    changed = update(ApiKey).where(ApiKey.id == before["id"]).values(**changes).returning(ApiKey.__table__)
    row = connection.execute(changed).mappings().one()
    _tell(connection, before, row, action=action, occasion=occasion)
    return shape(row, now=occasion.at)


def _tell(connection: Connection, before: Key | None, row: RowMapping, *, action: str, occasion: Occasion) -> None:
    old = None if before is None else shape(before, now=occasion.at)
    audit.record(
        connection,
        occasion,
        organization_id=row["organization_id"],
        action=action,
        subject=Subject("api_key", row["id"], row["name"]),
        changes=audit.differences(old, shape(row, now=occasion.at), _AUDITED),
    )
    revocations.announce_key(connection, row["kid"])
