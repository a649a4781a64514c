"""Links by which a user sets a password: of an invitation or of a reset, each once and for a while."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from loyalty_gateway.domain import audit, sessions, users
from loyalty_gateway.domain.audit import Occasion, Subject
from loyalty_gateway.models import OneTimeLink, Tenant, User

LIFETIMES = {"invitation": timedelta(days=7), "password_reset": timedelta(minutes=60)}
_TOKEN_BYTES = 32


def mint(connection: Connection, *, user_id: int, kind: str, at: datetime) -> str:
    """The token of a new link; what is kept is its digest. Earlier ones of the user stay good until one is used."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    row = {
        "user_id": user_id,
        "kind": kind,
        "digest": _digest(token),
        "created_at": at,
        "expires_at": at + LIFETIMES[kind],
    }
    connection.execute(insert(OneTimeLink), row)
    return token


def find(connection: Connection, token: str) -> RowMapping | None:
    """The link with its ``organization_id`` and live ``tenant_id``, also one that was used or is too old."""
    found = (
        select(OneTimeLink.__table__, User.organization_id, User.name, Tenant.id.label("tenant_id"))
        .join(User, User.id == OneTimeLink.user_id)
        .join(Tenant, (Tenant.organization_id == User.organization_id) & (Tenant.mode == "live"))
        .where(OneTimeLink.digest == _digest(token))
    )
    return connection.execute(found).mappings().one_or_none()


def use(connection: Connection, link: RowMapping, *, password_hash: str, occasion: Occasion) -> RowMapping | None:
    """The user with the new password, active now, and signed in nowhere. ``None`` if the link was good no more.

    Of two who use it at once one is the first.
    """
    at = occasion.at
    user = users.lock(connection, link["user_id"])
    open_link = (OneTimeLink.id == link["id"], OneTimeLink.ended_at.is_(None), OneTimeLink.expires_at > at)
    used = connection.execute(update(OneTimeLink).where(*open_link).values(ended_at=at))
    if used.rowcount == 0 or user["status"] == "disabled":
        return None
    end_all_of(connection, user["id"], at=at)
    sessions.end_all_of(connection, user["id"], at=at)
    known = {"password_hash": password_hash, "status": "active", "updated_at": at}
    changed = update(User).where(User.id == user["id"]).values(**known).returning(User.__table__)
    row = connection.execute(changed).mappings().one()
    audit.record(
        connection,
        occasion,
        organization_id=user["organization_id"],
        action="user.activated" if user["status"] == "invited" else "user.password_reset",
        subject=Subject("user", user["id"], user["name"]),
        changes=audit.differences(user, row, ("status",)),
    )
    return row


def is_open(link: RowMapping, *, at: datetime) -> bool:
    return bool(link["ended_at"] is None and link["expires_at"] > at)


def end_all_of(connection: Connection, user_id: int, *, at: datetime) -> None:
    """The caller holds the user's row."""
    mine = (OneTimeLink.user_id == user_id, OneTimeLink.ended_at.is_(None))
    connection.execute(update(OneTimeLink).where(*mine).values(ended_at=func.greatest(at, OneTimeLink.created_at)))


def _digest(token: str) -> bytes:
    # Of 256 random bits: nothing to be guessed at, so nothing that a pepper or a slow hash would add.
    return hashlib.sha256(token.encode()).digest()
