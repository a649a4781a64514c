"""People of an organization who sign in to the dashboard."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, insert, select

from loyalty_common.envelope import timestamp
from loyalty_gateway.domain import audit, organizations, passwords
from loyalty_gateway.domain.audit import Occasion, Subject
from loyalty_gateway.domain.errors import AccountRefused, EmailTaken
from loyalty_gateway.models import User
from loyalty_gateway.models.users import ROLES

_EVERYBODY = select(User.__table__).where(User.deleted_at.is_(None))


def create(
    connection: Connection,
    *,
    organization_id: int,
    name: str,
    email: str,
    role: str,
    password: str,
    occasion: Occasion,
) -> dict[str, Any]:
    """The new user, as an operator makes one: active at once. Only an argon2id hash of the password is kept."""
    organizations.check_exists(connection, organization_id)
    email = email.strip()
    if role not in ROLES:
        raise AccountRefused(f"The role must be one of: {', '.join(ROLES)}.")
    if not passwords.SHORTEST <= len(password) <= passwords.LONGEST:
        raise AccountRefused(f"The password must have {passwords.SHORTEST} to {passwords.LONGEST} characters.")
    if email.count("@") != 1 or email.startswith("@") or email.endswith("@"):
        raise AccountRefused("The email must be an e-mail address.")
    if by_email(connection, email):
        raise AccountRefused("There is a user with this e-mail address already.")
    row = add(
        connection,
        organization_id=organization_id,
        name=name,
        email=email,
        role=role,
        status="active",
        password_hash=passwords.hashed(password),
    )
    audit.record(
        connection,
        occasion,
        organization_id=organization_id,
        action="user.created",
        subject=Subject("user", row["id"], name),
        changes=audit.differences(None, row, ("name", "email", "role", "status")),
    )
    return shape(row) | {"organization_id": organization_id}


def add(connection: Connection, **columns: Any) -> RowMapping:
    return connection.execute(insert(User).returning(User.__table__), columns).mappings().one()


def all_of(organization_id: int) -> Select[Any]:
    return _EVERYBODY.where(User.organization_id == organization_id)


def find(connection: Connection, *, organization_id: int, user_id: int) -> RowMapping | None:
    """``None`` also for a user of another organization, and for one who was deleted."""
    return connection.execute(all_of(organization_id).where(User.id == user_id)).mappings().one_or_none()


def lock(connection: Connection, user_id: int) -> RowMapping:
    """The row as it is once nobody else changes it or its sessions; also of a user who was deleted."""
    locked = select(User.__table__).where(User.id == user_id).with_for_update(key_share=True)
    return connection.execute(locked).mappings().one()


def by_email(connection: Connection, email: str) -> RowMapping | None:
    """Of whatever organization: an address belongs to one user."""
    return connection.execute(_EVERYBODY.where(func.lower(User.email) == func.lower(email))).mappings().one_or_none()


def check_free(connection: Connection, email: str, *, field: str = "email") -> None:
    if by_email(connection, email) is not None:
        raise EmailTaken(field)


def shape(row: RowMapping) -> dict[str, Any]:
    seen_at = row["last_signed_in_at"]
    return {
        "id": row["id"],
        "name": row["name"],
        "email": row["email"],
        "role": row["role"],
        "status": row["status"],
        "last_signed_in_at": None if seen_at is None else timestamp(seen_at),
        "created_at": timestamp(row["created_at"]),
    }
