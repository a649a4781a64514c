"""Users coming into an organization, changing in it and leaving it. The last active owner stays."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select, update

from loyalty_common.envelope import timestamp
from loyalty_gateway.domain import audit, mails, one_time_links, revocations, sessions, users
from loyalty_gateway.domain.audit import Occasion, Subject
from loyalty_gateway.domain.errors import LastOwner, NotYetAccepted
from loyalty_gateway.models import Organization, User

_AUDITED = ("name", "email", "role", "status")


def invite(
    connection: Connection, *, organization_id: int, name: str, email: str, role: str, occasion: Occasion
) -> dict[str, Any]:
    """The new user, who becomes active by choosing a password behind the link of the invitation."""
    users.check_free(connection, email)
    row = users.add(
        connection,
        organization_id=organization_id,
        name=name,
        email=email,
        role=role,
        status="invited",
        created_at=occasion.at,
        updated_at=occasion.at,
    )
    mails.to_user(connection, row["id"], "invitation")
    _tell(connection, "user.invited", None, row, occasion=occasion)
    return users.shape(row)


def locked(connection: Connection, *, organization_id: int, user_id: int) -> RowMapping | None:
    """What is to be judged before a user is changed or deleted, as it stays until then."""
    # The organization first: two owners who remove each other at the same moment queue here, and one of them stays.
    # Not FOR UPDATE: who signs in holds his own row and names the organization in the audit log.
    all_of_them = select(Organization.id).where(Organization.id == organization_id)
    connection.execute(all_of_them.with_for_update(key_share=True))
    if users.find(connection, organization_id=organization_id, user_id=user_id) is None:
        return None
    return users.lock(connection, user_id)


def change(
    connection: Connection, before: RowMapping, *, changes: Mapping[str, Any], occasion: Occasion
) -> dict[str, Any]:
    """The user, who is ``locked``, with ``changes`` (name, email, role, status)."""
    user_id = before["id"]
    changes = decide(before, changes)
    if not changes:
        return users.shape(before)
    if is_owner(before) and not is_owner({**before, **changes}):
        _check_another_owner(connection, before, *sorted({"role", "status"} & changes.keys()))
    if "email" in changes:
        _move(connection, before, changes["email"], at=occasion.at)
    if changes.get("status") == "disabled":
        sessions.end_all_of(connection, user_id, at=occasion.at)
    known = update(User).where(User.id == user_id).values(**changes, updated_at=occasion.at)
    row = connection.execute(known.returning(User.__table__)).mappings().one()
    _tell(connection, "user.updated", before, row, occasion=occasion)
    if "role" in changes:
        revocations.announce_organization(connection, before["organization_id"])
    return users.shape(row)


def delete(connection: Connection, before: RowMapping, *, occasion: Occasion) -> dict[str, Any]:
    """Ends all that the user, who is ``locked``, could do; his name stays in what he did, and his address is free."""
    if is_owner(before):
        _check_another_owner(connection, before)
    user_id, at = before["id"], occasion.at
    sessions.end_all_of(connection, user_id, at=at)
    one_time_links.end_all_of(connection, user_id, at=at)
    gone = {"deleted_at": at, "updated_at": at, "status": "disabled", "password_hash": None}
    connection.execute(update(User).where(User.id == user_id).values(**gone))
    _tell(connection, "user.deleted", before, before, occasion=occasion)
    return {"id": user_id, "deleted_at": timestamp(at)}


def decide(before: Mapping[Any, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What of ``wanted`` changes anything. Nobody becomes active who has not chosen a password."""
    changes = {name: value for name, value in wanted.items() if value != before[name]}
    if changes.get("status") == "active" and before["password_hash"] is None:
        if before["status"] == "invited":
            raise NotYetAccepted
        changes["status"] = "invited"
    return changes


def is_owner(user: Mapping[Any, Any]) -> bool:
    return bool(user["role"] == "owner" and user["status"] == "active")


def _check_another_owner(connection: Connection, user: RowMapping, *fields: str) -> None:
    others = users.all_of(user["organization_id"]).where(
        User.role == "owner", User.status == "active", User.id != user["id"]
    )
    if not connection.execute(select(func.count()).select_from(others.subquery())).scalar_one():
        raise LastOwner(*fields)


def _move(connection: Connection, user: RowMapping, email: str, *, at: datetime) -> None:
    """Links that went to the old address end; an invitation goes out again, to the new one."""
    holder = users.by_email(connection, email)
    if holder is None or holder["id"] != user["id"]:  # One's own address may change its case.
        users.check_free(connection, email)
    one_time_links.end_all_of(connection, user["id"], at=at)
    if user["status"] == "invited":
        mails.to_user(connection, user["id"], "invitation")


def _tell(
    connection: Connection, action: str, before: RowMapping | None, user: RowMapping, *, occasion: Occasion
) -> None:
    audit.record(
        connection,
        occasion,
        organization_id=user["organization_id"],
        action=action,
        subject=Subject("user", user["id"], user["name"]),
        changes=audit.differences(before, user, _AUDITED),
    )
