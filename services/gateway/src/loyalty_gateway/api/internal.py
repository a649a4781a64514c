"""What the other services may ask on the private listener."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, request

from loyalty_common.errors import NotFound, ValidationFailed
from loyalty_common.web import answer
from loyalty_gateway.domain import locations

_LONGEST_ID = 18

blueprint = Blueprint("internal", __name__, url_prefix="/internal")


@blueprint.get("/partner-locations/<id:partner_location_id>")
def partner_location(partner_location_id: int) -> Response:
    organization_id = request.args.get("organization_id", "")
    if not (organization_id.isascii() and organization_id.isdecimal() and len(organization_id) <= _LONGEST_ID):
        raise ValidationFailed(details={"organization_id": ["The organization_id field must be an id."]})
    with current_app.extensions["engine"].connect() as connection:
        location = locations.find(
            connection, organization_id=int(organization_id), partner_location_id=partner_location_id
        )
    if location is None:
        raise NotFound
    shape = {"partner_location": locations.shape(location), "organization_id": location.organization_id}
    return answer({**shape, "version": location.version})
