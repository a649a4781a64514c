"""Where an organization sells. The other services hear of every change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, insert, select, update

from loyalty_common.envelope import timestamp
from loyalty_common.messaging.outbox import outbox_row
from loyalty_gateway.domain import audit, organizations
from loyalty_gateway.domain.audit import Occasion, Subject
from loyalty_gateway.events import LocationUpdated
from loyalty_gateway.models import PartnerLocation, Tenant, outbox

_AUDITED = ("name", "time_zone", "is_active")


def create(
    connection: Connection, *, organization_id: int, name: str, time_zone: str, occasion: Occasion
) -> dict[str, Any]:
    """The new location, and in the same transaction the event and the audit entry that tell of it."""
    organizations.check_exists(connection, organization_id)
    organizations.check_time_zone(time_zone)
    row = (
        connection.execute(
            insert(PartnerLocation).returning(PartnerLocation.__table__),
            {
                "organization_id": organization_id,
                "name": name,
                "time_zone": time_zone,
                "created_at": occasion.at,
                "updated_at": occasion.at,
            },
        )
        .mappings()
        .one()
    )
    _tell(connection, None, row, occasion=occasion)
    return shape(row)


def change(
    connection: Connection,
    *,
    organization_id: int,
    partner_location_id: int,
    changes: Mapping[str, Any],
    occasion: Occasion,
) -> dict[str, Any] | None:
    """The location with ``changes`` (name, time_zone, is_active), of which the services hear if they are any."""
    before = find(connection, organization_id=organization_id, partner_location_id=partner_location_id, for_update=True)
    if before is None:
        return None
    changes = {name: value for name, value in changes.items() if value != before[name]}
    if not changes:
        return shape(before)
    changed = (
        update(PartnerLocation)
        .where(PartnerLocation.id == partner_location_id)
        .values(**changes, version=before["version"] + 1, updated_at=occasion.at)
        .returning(PartnerLocation.__table__)
    )
    row = connection.execute(changed).mappings().one()
    _tell(connection, before, row, occasion=occasion)
    return shape(row)


def all_of(organization_id: int) -> Select[Any]:
    return select(PartnerLocation.__table__).where(PartnerLocation.organization_id == organization_id)


def _tell(connection: Connection, before: RowMapping | None, row: RowMapping, *, occasion: Occasion) -> None:
    event = LocationUpdated(organization_id=row["organization_id"], location=shape(row), version=row["version"])
    # A location is the organization's, an event some tenant's: it goes out under the live one.
    tenant_id = connection.execute(
        select(Tenant.id).where(Tenant.organization_id == row["organization_id"], Tenant.mode == "live")
    ).scalar_one()
    told = outbox_row(event=event.name, data=event.data(), created_at=occasion.at, version=event.version)
    connection.execute(outbox.insert(), told | {"tenant_id": tenant_id})
    audit.record(
        connection,
        occasion,
        organization_id=row["organization_id"],
        action="partner_location.created" if before is None else "partner_location.updated",
        subject=Subject("partner_location", row["id"], row["name"]),
        changes=audit.differences(before, row, _AUDITED),
    )


def find(
    connection: Connection, *, organization_id: int, partner_location_id: int, for_update: bool = False
) -> RowMapping | None:
    """``None`` also for a location of another organization."""
    found = all_of(organization_id).where(PartnerLocation.id == partner_location_id)
    return connection.execute(found.with_for_update() if for_update else found).mappings().one_or_none()


def shape(row: RowMapping) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "time_zone": row["time_zone"],
        "is_active": row["is_active"],
        "created_at": timestamp(row["created_at"]),
        "updated_at": timestamp(row["updated_at"]),
    }
