"""Organizations: each comes into being with its two tenants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from loyalty_common.envelope import timestamp
from loyalty_common.time_zones import TIME_ZONES
from loyalty_gateway.domain import audit, revocations
from loyalty_gateway.domain.audit import Occasion, Subject
from loyalty_gateway.domain.errors import AccountRefused
from loyalty_gateway.models import Organization, Plan, Tenant
from loyalty_gateway.models.base import MODES

_AUDITED = ("name", "plan_code", "currency", "country", "time_zone", "status")


def create(
    connection: Connection,
    *,
    name: str,
    plan_code: str,
    currency: str,
    country: str,
    time_zone: str,
    occasion: Occasion,
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
    _tell(connection, None, row, action="organization.created", occasion=occasion)
    return shape(row) | {"plan": plan_code, "tenants": {tenant.mode: tenant.id for tenant in tenants}}


def list_all(connection: Connection) -> list[dict[str, Any]]:
    """Every organization with its tenants, oldest first."""
    tenants: dict[int, dict[str, int]] = {}
    for tenant in connection.execute(select(Tenant.organization_id, Tenant.mode, Tenant.id).order_by(Tenant.id)):
        tenants.setdefault(tenant.organization_id, {})[tenant.mode] = tenant.id
    rows = connection.execute(select(Organization.__table__).order_by(Organization.id)).mappings()
    return [shape(row) | {"plan": row["plan_code"], "tenants": tenants[row["id"]]} for row in rows]


def mode_of(connection: Connection, tenant_id: int) -> str:
    return connection.execute(select(Tenant.mode).where(Tenant.id == tenant_id)).scalar_one()


def tenants_of(connection: Connection, organization_id: int) -> list[int]:
    return list(connection.execute(select(Tenant.id).where(Tenant.organization_id == organization_id)).scalars())


def tenant_of(connection: Connection, organization_id: int, *, mode: str) -> int:
    found = select(Tenant.id).where(Tenant.organization_id == organization_id, Tenant.mode == mode)
    return connection.execute(found).scalar_one()


def find(connection: Connection, organization_id: int, *, for_update: bool = False) -> RowMapping:
    """The caller's own organization, which exists."""
    found = select(Organization.__table__).where(Organization.id == organization_id)
    return connection.execute(found.with_for_update() if for_update else found).mappings().one()


def change(
    connection: Connection, organization_id: int, changes: Mapping[str, Any], *, occasion: Occasion
) -> dict[str, Any]:
    """The organization with ``changes`` (name, currency, country, time_zone); what is the same already stays untouched.

    The services hear of it with the next identity, which is minted anew once this is committed.
    """
    return _update(connection, organization_id, changes, action="organization.updated", occasion=occasion)


def suspend(connection: Connection, organization_id: int, *, occasion: Occasion) -> dict[str, Any]:
    """Its callers are refused from now on, with 403; nothing of it is lost."""
    return _set_status(connection, organization_id, "suspended", action="organization.suspended", occasion=occasion)


def resume(connection: Connection, organization_id: int, *, occasion: Occasion) -> dict[str, Any]:
    return _set_status(connection, organization_id, "active", action="organization.resumed", occasion=occasion)


def _set_status(
    connection: Connection, organization_id: int, status: str, *, action: str, occasion: Occasion
) -> dict[str, Any]:
    check_exists(connection, organization_id)
    return _update(connection, organization_id, {"status": status}, action=action, occasion=occasion)


def _update(
    connection: Connection, organization_id: int, changes: Mapping[str, Any], *, action: str, occasion: Occasion
) -> dict[str, Any]:
    before = find(connection, organization_id, for_update=True)
    changes = {name: value for name, value in changes.items() if value != before[name]}
    if not changes:
        return shape(before)
    changed = (
        update(Organization)
        .where(Organization.id == organization_id)
        .values(**changes, updated_at=occasion.at)
        .returning(Organization.__table__)
    )
    row = connection.execute(changed).mappings().one()
    _tell(connection, before, row, action=action, occasion=occasion)
    return shape(row)


def _tell(
    connection: Connection, before: RowMapping | None, row: RowMapping, *, action: str, occasion: Occasion
) -> None:
    audit.record(
        connection,
        occasion,
        organization_id=row["id"],
        action=action,
        subject=Subject("organization", row["id"], row["name"]),
        changes=audit.differences(before, row, _AUDITED),
    )
    revocations.announce_organization(connection, row["id"])


def check_exists(connection: Connection, organization_id: int) -> None:
    found = connection.execute(select(Organization.id).where(Organization.id == organization_id)).scalar()
    if found is None:
        raise AccountRefused(f"There is no organization {organization_id}.")


def check_time_zone(name: str) -> None:
    if name not in TIME_ZONES:
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
