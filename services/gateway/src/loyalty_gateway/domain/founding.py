"""An organization coming into being by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from loyalty_gateway.domain import locations, membership, organizations, users
from loyalty_gateway.domain.audit import Occasion


@dataclass(frozen=True, slots=True)
class Founded:
    """``tenant_id``: the live one; ``shown``: what the founder is told."""

    tenant_id: int
    shown: dict[str, Any]


def found(
    connection: Connection,
    *,
    name: str,
    currency: str,
    country: str,
    time_zone: str,
    owner: Mapping[str, str],
    partner_location: Mapping[str, Any],
    plan_code: str,
    occasion: Occasion,
) -> Founded:
    """The organization with its two tenants, the owner, who is invited, and the first location, in one transaction."""
    place = {"currency": currency, "country": country, "time_zone": time_zone}
    organization = organizations.create(connection, name=name, plan_code=plan_code, **place, occasion=occasion)
    of = {"organization_id": organization["id"], "occasion": occasion}
    user = membership.invite(connection, **of, name=owner["name"], email=owner["email"], role="owner")
    first = {"name": partner_location["name"], "time_zone": partner_location["time_zone"] or time_zone}
    location = locations.create(connection, **of, **first)
    tenants = organization.pop("tenants")
    del organization["plan"]
    return Founded(tenants["live"], {"organization": organization, "user": user, "partner_location": location})


def tenant_of(connection: Connection, email: str) -> int | None:
    """The live tenant of the organization of whoever has this address."""
    user = users.by_email(connection, email)
    return None if user is None else organizations.tenant_of(connection, user["organization_id"], mode="live")
