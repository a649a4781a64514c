"""People of an organization who sign in to the dashboard."""

from __future__ import annotations

from typing import Any

from argon2 import PasswordHasher
from sqlalchemy import Connection, func, insert, select

from loyalty_common.envelope import timestamp
from loyalty_gateway.domain import organizations
from loyalty_gateway.domain.errors import AccountRefused
from loyalty_gateway.models import User
from loyalty_gateway.models.users import ROLES

_SHORTEST_PASSWORD = 12
_hasher = PasswordHasher()


def create(
    connection: Connection, *, organization_id: int, name: str, email: str, role: str, password: str
) -> dict[str, Any]:
    """The new user. Only an argon2id hash of the password is kept."""
    organizations.check_exists(connection, organization_id)
    email = email.strip()
    if role not in ROLES:
        raise AccountRefused(f"The role must be one of: {', '.join(ROLES)}.")
    if len(password) < _SHORTEST_PASSWORD:
        raise AccountRefused(f"The password must have at least {_SHORTEST_PASSWORD} characters.")
    if email.count("@") != 1 or email.startswith("@") or email.endswith("@"):
        raise AccountRefused("The email must be an e-mail address.")
    if connection.execute(select(User.id).where(func.lower(User.email) == email.lower())).first():
        raise AccountRefused("There is a user with this e-mail address already.")
    row = (
        connection.execute(
            insert(User).returning(User.__table__),
            {
                "organization_id": organization_id,
                "name": name,
                "email": email,
                "role": role,
                "password_hash": _hasher.hash(password),
            },
        )
        .mappings()
        .one()
    )
    return {
        "id": row["id"],
        "organization_id": organization_id,
        "name": row["name"],
        "email": row["email"],
        "role": row["role"],
        "status": row["status"],
        "last_signed_in_at": None,
        "created_at": timestamp(row["created_at"]),
    }
