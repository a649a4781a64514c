"""Where an organization sells. The other services hear of every change."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select

from loyalty_common.envelope import timestamp
from loyalty_common.messaging.outbox import outbox_row
from loyalty_gateway.domain import organizations
from loyalty_gateway.events import LocationUpdated
from loyalty_gateway.models import PartnerLocation, Tenant, outbox


def create(connection: Connection, *, organization_id: int, name: str, time_zone: str, now: datetime) -> dict[str, Any]:
    """The new location, and in the same transaction the event that tells of it."""
    organizations.check_exists(connection, organization_id)
    organizations.check_time_zone(time_zone)
    row = (
        connection.execute(
            insert(PartnerLocation).returning(PartnerLocation.__table__),
            {
                "organization_id": organization_id,
                "name": name,
                "time_zone": time_zone,
                "created_at": now,
                "updated_at": now,
            },
        )
        .mappings()
        .one()
    )
    event = LocationUpdated(organization_id=organization_id, location=shape(row), version=row["version"])
    # A location is the organization's, an event some tenant's: it goes out under the live one.
    tenant_id = connection.execute(
        select(Tenant.id).where(Tenant.organization_id == organization_id, Tenant.mode == "live")
    ).scalar_one()
    told = outbox_row(event=event.name, data=event.data(), created_at=now, version=event.version)
    connection.execute(outbox.insert(), told | {"tenant_id": tenant_id})
    return shape(row) | {"organization_id": organization_id}


def find(connection: Connection, *, organization_id: int, partner_location_id: int) -> RowMapping | None:
    """``None`` also for a location of another organization."""
    found = select(PartnerLocation.__table__).where(
        PartnerLocation.organization_id == organization_id, PartnerLocation.id == partner_location_id
    )
    return connection.execute(found).mappings().one_or_none()


def shape(row: RowMapping) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "time_zone": row["time_zone"],
        "is_active": row["is_active"],
        "created_at": timestamp(row["created_at"]),
        "updated_at": timestamp(row["updated_at"]),
    }
