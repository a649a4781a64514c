"""Who is calling, in full."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping, bindparam, select

from loyalty_common.database import Transaction
from loyalty_gateway.domain import organizations, users
from loyalty_gateway.models import ApiKey, Organization, Plan, Tenant, User

_KEY = (
    select(
        Organization.__table__,
        ApiKey.id.label("key_id"),
        ApiKey.name.label("key_name"),
        ApiKey.scopes,
        ApiKey.mode,
        Plan.code,
        Plan.name.label("plan_name"),
        Plan.developer_access,
        Plan.requests_per_minute,
    )
    .join(Organization, Organization.id == ApiKey.organization_id)
    .join(Plan, Plan.code == Organization.plan_code)
    .where(ApiKey.id == bindparam("api_key_id"))
)


_USER = (
    select(
        Organization.__table__,
        Tenant.mode,
        Plan.code,
        Plan.name.label("plan_name"),
        Plan.developer_access,
        Plan.requests_per_minute,
    )
    .join(Organization, Organization.id == Tenant.organization_id)
    .join(Plan, Plan.code == Organization.plan_code)
    .where(Tenant.id == bindparam("tenant_id"))
)


def describe_key(tx: Transaction, *, api_key_id: int) -> dict[str, Any]:
    """The answer of ``GET /me`` for a call that was made with this key."""
    row = tx.execute(_KEY, {"api_key_id": api_key_id}).mappings().one()
    key = {"id": row["key_id"], "name": row["key_name"], "scopes": row["scopes"]}
    return _account(row) | {"api_key": key, "user": None}


def describe_user(tx: Transaction, *, user_id: int) -> dict[str, Any]:
    """The same for a signed-in user, in the mode of the session."""
    row = tx.execute(_USER).mappings().one()
    user = tx.connection.execute(select(User.__table__).where(User.id == user_id)).mappings().one()
    return _account(row) | {"api_key": None, "user": users.shape(user)}


def _account(row: RowMapping) -> dict[str, Any]:
    plan = {name: row[name] for name in ("code", "developer_access", "requests_per_minute")}
    return {
        "organization": organizations.shape(row),
        "plan": {**plan, "name": row["plan_name"]},
        "mode": row["mode"],
    }
