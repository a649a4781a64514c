"""The organization itself, and who is calling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, current_app

from loyalty_common import web
from loyalty_common.idempotency import Reply
from loyalty_common.openapi import Blueprint
from loyalty_gateway.api import edge
from loyalty_gateway.api.schemas import Account, Organization, OrganizationChanges
from loyalty_gateway.domain import callers, organizations
from loyalty_gateway.domain.roles import OWNER, STAFF
from loyalty_gateway.domain.usage import Usage

blueprint = Blueprint("Account", __name__, url_prefix="/v1", description=__doc__)


@blueprint.route("/me", methods=["GET"])
@blueprint.operation("account:read", answers={200: Account}, role=STAFF)
def who_am_i() -> Response:
    """Tell who is calling

    The organization, its plan, the mode, and the key that the call was made with or the user who made it.
    """
    caller = web.current_call().caller
    with edge.read() as tx:
        if caller.actor_type == "user":
            return web.answer(callers.describe_user(tx, user_id=caller.actor_id or 0))
        return web.answer(callers.describe_key(tx, api_key_id=caller.actor_id or 0))


@blueprint.route("/organization", methods=["GET"])
@blueprint.operation("account:read", answers={200: Organization})
def retrieve_organization() -> Response:
    """Retrieve the organization"""
    with edge.read() as tx:
        return web.answer(organizations.shape(organizations.find(tx.connection, web.current_call().organization.id)))


@blueprint.route("/organization", methods=["PATCH"])
@blueprint.operation("account:write", body=OrganizationChanges, answers={200: Organization}, role=OWNER)
def change_organization(sent: Mapping[str, Any]) -> Response:
    """Change the organization

    The currency can be changed only while there is no loyalty card and no voucher, in either mode.
    """
    organization_id = web.current_call().organization.id
    usage: Usage = current_app.extensions["usage"]
    with edge.read() as tx:
        now = organizations.find(tx.connection, organization_id)
        tenants = organizations.tenants_of(tx.connection, organization_id)
    if sent.get("currency", now["currency"]) != now["currency"]:
        # Asked outside the transaction. A card made at this very moment keeps the old currency, as its own.
        usage.check_unused(tenants)
    return edge.write(
        lambda connection: Reply(
            200, organizations.change(connection, organization_id, sent, occasion=edge.occasion(connection))
        )
    )
