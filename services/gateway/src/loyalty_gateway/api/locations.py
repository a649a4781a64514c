"""Where an organization sells. Locations belong to the organization, not to a mode: both see the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response
from sqlalchemy import Connection, RowMapping

from loyalty_common import pagination, web
from loyalty_common.errors import NotFound
from loyalty_common.idempotency import Reply
from loyalty_common.openapi import Blueprint
from loyalty_common.pagination import ListQuery
from loyalty_gateway.api import edge
from loyalty_gateway.api.schemas import LocationChanges, LocationFields, PartnerLocation
from loyalty_gateway.domain import locations
from loyalty_gateway.models import PartnerLocation as Location

blueprint = Blueprint("Partner locations", __name__, url_prefix="/v1/partner-locations", description=__doc__)


def check_exists(*, partner_location_id: int) -> None:
    """``NotFound`` for a location that is not the caller's."""
    _found(partner_location_id)


@blueprint.route("", methods=["GET"])
@blueprint.listing("account:read", of=PartnerLocation, query=ListQuery)
def list_partner_locations(query: Mapping[str, Any]) -> Response:
    """List partner locations"""
    with edge.read() as tx:
        return pagination.page_of(
            tx,
            locations.all_of(web.current_call().organization.id),
            by=(Location.created_at, Location.id),
            query=query,
            show=lambda row: locations.shape(row._mapping),
        )


@blueprint.route("/<id:partner_location_id>", methods=["GET"])
@blueprint.operation("account:read", answers={200: PartnerLocation})
def retrieve_partner_location(partner_location_id: int) -> Response:
    """Retrieve a partner location"""
    return web.answer(locations.shape(_found(partner_location_id)))


@blueprint.route("", methods=["POST"])
@blueprint.operation("account:write", body=LocationFields, answers={201: PartnerLocation})
def create_partner_location(sent: Mapping[str, Any]) -> Response:
    """Create a partner location"""
    call = web.current_call()
    time_zone = sent["time_zone"] or call.organization.time_zone
    return edge.write(
        lambda connection: Reply(
            201,
            locations.create(
                connection,
                organization_id=call.organization.id,
                name=sent["name"],
                time_zone=time_zone,
                occasion=edge.occasion(connection),
            ),
        )
    )


@blueprint.route("/<id:partner_location_id>", methods=["PATCH"])
@blueprint.operation("account:write", body=LocationChanges, answers={200: PartnerLocation})
def change_partner_location(sent: Mapping[str, Any], partner_location_id: int) -> Response:
    """Rename, move or close a partner location

    A new time zone counts for dates from the moment that the services hear of it.
    """
    organization_id = web.current_call().organization.id

    def change(connection: Connection) -> Reply:
        of = {"organization_id": organization_id, "partner_location_id": partner_location_id}
        changed = locations.change(connection, **of, changes=sent, occasion=edge.occasion(connection))
        if changed is None:
            raise NotFound
        return Reply(200, changed)

    return edge.write(change)


def _found(partner_location_id: int) -> RowMapping:
    organization_id = web.current_call().organization.id
    with edge.read() as tx:
        row = locations.find(tx.connection, organization_id=organization_id, partner_location_id=partner_location_id)
    if row is None:
        raise NotFound
    return row
