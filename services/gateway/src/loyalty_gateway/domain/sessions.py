"""Users signing in, going on and signing out.

Whatever begins or ends sessions of a user holds the user's row: none begins between a password that is changed and the
sessions that end with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from sqlalchemy import ColumnElement, Connection, RowMapping, func, insert, select, update

from loyalty_common.envelope import timestamp
from loyalty_gateway.domain import audit, keys, organizations, revocations, session_tokens, users
from loyalty_gateway.domain.audit import Changes, Occasion, Subject
from loyalty_gateway.domain.errors import OrganizationSuspended, SessionOver, SignInRefused
from loyalty_gateway.models import Session, User

LIFETIME = timedelta(minutes=60)
LONGEST = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Minted:
    """A token that is about to be given out, and what is kept of it."""

    token: str
    kid: str
    digest: bytes
    pepper_version: int

    @classmethod
    def of(cls, entropy: bytes, *, peppers: Mapping[int, bytes]) -> Self:
        token, version = session_tokens.mint(entropy), max(peppers)
        kid = session_tokens.kid_of(token)
        assert kid is not None
        return cls(token, kid, keys.digest(token, peppers[version]), version)


def sign_in(
    connection: Connection, known: RowMapping, *, mode: str, minted: Minted, occasion: Occasion
) -> dict[str, Any]:
    """The new session, for a user whose password was right a moment ago; ``known`` is the user as he was then."""
    at = occasion.at
    user = users.lock(connection, known["id"])
    if user["status"] != "active" or user["password_hash"] != known["password_hash"]:
        raise SignInRefused
    organization = organizations.find(connection, user["organization_id"])
    if organization["status"] == "suspended":
        raise OrganizationSuspended
    seen = update(User).where(User.id == user["id"]).values(last_signed_in_at=at).returning(User.__table__)
    user = connection.execute(seen).mappings().one()
    session = _begin(connection, user_id=user["id"], mode=mode, minted=minted, signed_in_at=at, at=at)
    _tell(connection, "session.created", session, user=user, occasion=occasion)
    return _shape(session, minted, user=user, organization=organization)


def renew(
    connection: Connection, session_id: int, *, mode: str | None, minted: Minted, occasion: Occasion
) -> dict[str, Any]:
    """A session that takes the place of this one, in the same mode or in the one that is asked for.

    ``SessionOver`` if it has ended meanwhile: of two renewals at once one goes on.
    """
    at = occasion.at
    user_id = connection.execute(select(Session.user_id).where(Session.id == session_id)).scalar_one()
    user = users.lock(connection, user_id)
    before = _ended(connection, Session.id == session_id, Session.expires_at > at, at=at)
    if not before:
        raise SessionOver
    session = _begin(
        connection,
        user_id=user_id,
        mode=mode or before[0]["mode"],
        minted=minted,
        signed_in_at=before[0]["signed_in_at"],
        at=at,
    )
    changes = {"mode": [before[0]["mode"], session["mode"]]} if session["mode"] != before[0]["mode"] else {}
    _tell(connection, "session.renewed", session, user=user, occasion=occasion, changes=changes)
    organization = organizations.find(connection, user["organization_id"])
    return _shape(session, minted, user=user, organization=organization)


def end(connection: Connection, session_id: int, *, occasion: Occasion) -> dict[str, Any]:
    """When it ended: now, or before."""
    user_id = connection.execute(select(Session.user_id).where(Session.id == session_id)).scalar_one()
    user = users.lock(connection, user_id)
    for session in _ended(connection, Session.id == session_id, at=occasion.at):
        _tell(connection, "session.ended", session, user=user, occasion=occasion)
    moment = connection.execute(select(Session.ended_at).where(Session.id == session_id)).scalar_one()
    return {"ended_at": timestamp(moment or occasion.at)}


def end_all_of(connection: Connection, user_id: int, *, at: datetime) -> None:
    """The caller holds the user's row."""
    _ended(connection, Session.user_id == user_id, at=at)


def _begin(
    connection: Connection, *, user_id: int, mode: str, minted: Minted, signed_in_at: datetime, at: datetime
) -> RowMapping:
    row = {
        "user_id": user_id,
        "mode": mode,
        "kid": minted.kid,
        "digest": minted.digest,
        "pepper_version": minted.pepper_version,
        "signed_in_at": signed_in_at,
        "created_at": at,
        "expires_at": min(at + LIFETIME, signed_in_at + LONGEST),
    }
    return connection.execute(insert(Session).returning(Session.__table__), row).mappings().one()


def _ended(connection: Connection, *which: ColumnElement[bool], at: datetime) -> list[RowMapping]:
    """Those that had not ended before. Every gateway process hears of it when this is committed."""
    ended = (
        update(Session)
        .where(*which, Session.ended_at.is_(None))
        .values(ended_at=func.greatest(at, Session.created_at))
        .returning(Session.__table__)
    )
    rows = list(connection.execute(ended).mappings())
    for row in rows:
        revocations.announce_key(connection, session_tokens.PREFIX + row["kid"])
    return rows


def _shape(session: RowMapping, minted: Minted, *, user: RowMapping, organization: RowMapping) -> dict[str, Any]:
    return {
        "token": minted.token,
        "expires_at": timestamp(session["expires_at"]),
        "mode": session["mode"],
        "user": users.shape(user),
        "organization": organizations.shape(organization),
    }


def _tell(
    connection: Connection,
    action: str,
    session: RowMapping,
    *,
    user: RowMapping,
    occasion: Occasion,
    changes: Changes | None = None,
) -> None:
    audit.record(
        connection,
        occasion,
        organization_id=user["organization_id"],
        action=action,
        subject=Subject("session", session["id"], user["name"]),
        changes=changes,
    )
