"""Organizations: each comes into being with its two tenants."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import Connection, RowMapping, insert, select, update

from loyalty_common.envelope import timestamp
from loyalty_gateway.domain.errors import AccountRefused
from loyalty_gateway.models import Organization, Plan, Tenant
from loyalty_gateway.models.base import MODES


def create(
    connection: Connection, *, name: str, plan_code: str, currency: str, country: str, time_zone: str
) -> dict[str, Any]:
    """The new organization with its tenants; codes by ISO 4217 and ISO 3166, the time zone by IANA."""
    codes = connection.execute(select(Plan.code).order_by(Plan.requests_per_minute)).scalars().all()
    if plan_code not in codes:
        raise AccountRefused(f"The plan must be one of: {', '.join(codes)}.")
    check_time_zone(time_zone)
    _check_code("currency", currency, length=3)
    _check_code("country", country, length=2)
    row = (
        connection.execute(
            insert(Organization).returning(Organization.__table__),
            {
                "name": name,
                "plan_code": plan_code,
                "currency": currency.upper(),
                "country": country.upper(),
                "time_zone": time_zone,
            },
        )
        .mappings()
        .one()
    )
    tenants = connection.execute(
        insert(Tenant).returning(Tenant.mode, Tenant.id),
        [{"organization_id": row["id"], "mode": mode} for mode in MODES],
    )
    return shape(row) | {"plan": plan_code, "tenants": {tenant.mode: tenant.id for tenant in tenants}}


def list_all(connection: Connection) -> list[dict[str, Any]]:
    """Every organization with its tenants, oldest first."""
    tenants: dict[int, dict[str, int]] = {}
    for tenant in connection.execute(select(Tenant.organization_id, Tenant.mode, Tenant.id).order_by(Tenant.id)):
        tenants.setdefault(tenant.organization_id, {})[tenant.mode] = tenant.id
    rows = connection.execute(select(Organization.__table__).order_by(Organization.id)).mappings()
    return [shape(row) | {"plan": row["plan_code"], "tenants": tenants[row["id"]]} for row in rows]


def tenants_of(connection: Connection, organization_id: int) -> list[int]:
    return list(connection.execute(select(Tenant.id).where(Tenant.organization_id == organization_id)).scalars())


def find(connection: Connection, organization_id: int, *, for_update: bool = False) -> RowMapping:
    """The caller's own organization, which exists."""
    found = select(Organization.__table__).where(Organization.id == organization_id)
    return connection.execute(found.with_for_update() if for_update else found).mappings().one()


def change(connection: Connection, organization_id: int, changes: Mapping[str, Any], *, at: datetime) -> dict[str, Any]:
    """The organization with ``changes`` (name, currency, country, time_zone); what is the same already stays untouched.

    The services hear of it with the next identity that is minted, within the seconds that a key is remembered.
    """
    before = find(connection, organization_id, for_update=True)
    changes = {name: value for name, value in changes.items() if value != before[name]}
    if not changes:
        return shape(before)
    changed = (
        update(Organization)
        .where(Organization.id == organization_id)
        .values(**changes, updated_at=at)
        .returning(Organization.__table__)
    )
    return shape(connection.execute(changed).mappings().one())


def check_exists(connection: Connection, organization_id: int) -> None:
    found = connection.execute(select(Organization.id).where(Organization.id == organization_id)).scalar()
    if found is None:
        raise AccountRefused(f"There is no organization {organization_id}.")


def check_time_zone(name: str) -> None:
    if name not in available_timezones():
        raise AccountRefused("The time zone must be an IANA name such as America/New_York.")


def shape(row: RowMapping) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "currency": row["currency"],
        "country": row["country"],
        "time_zone": row["time_zone"],
        "status": row["status"],
        "created_at": timestamp(row["created_at"]),
    }


def _check_code(what: str, code: str, *, length: int) -> None:
    if len(code) != length or not (code.isascii() and code.isalpha()):
        raise AccountRefused(f"The {what} must be a code of {length} letters.")
