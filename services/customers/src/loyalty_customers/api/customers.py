"""Look up and create customers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, current_app

from loyalty_common import database, pagination, web
from loyalty_common.openapi import Blueprint
from loyalty_customers.api.schemas import Customer, CustomerFields, CustomerQuery, ErasedCustomer
from loyalty_customers.domain import customers, erasing, profiles, queries, searching

blueprint = Blueprint("Customers", __name__, url_prefix="/v1/customers", description=__doc__)


@blueprint.route("", methods=["GET"])
@blueprint.listing("customers:read", of=Customer, query=CustomerQuery)
def list_customers(query: Mapping[str, Any]) -> Response:
    """List customers"""
    call = web.current_call()
    with database.transaction(current_app.extensions["engine"], call.tenant_id) as tx:
        rows, by = searching.matching(tx, query)
        return pagination.page_of(tx, rows, by=by, query=query, show=queries.shown)


@blueprint.route("/<id:customer_id>", methods=["GET"])
@blueprint.operation("customers:read", answers={200: Customer})
def retrieve_customer(customer_id: int) -> Response:
    """Retrieve a customer"""
    call = web.current_call()
    with database.transaction(current_app.extensions["engine"], call.tenant_id) as tx:
        return web.answer(queries.shown(pagination.one_or_404(queries.by_id(tx, customer_id=customer_id))))


@blueprint.route("", methods=["POST"])
@blueprint.operation("customers:write", body=CustomerFields, answers={201: Customer, 200: Customer})
def create_customer(sent: Mapping[str, Any]) -> Response:
    """Create or return an existing customer

    If the email already exists, the existing profile is returned with HTTP 200.
    """
    call = web.current_call()
    phone = profiles.e164(sent["phone"], country=call.organization.country) if sent["phone"] else None
    profile = profiles.Profile(**{**sent, "phone": phone})
    request = web.request_key()
    reply = database.perform(
        current_app.extensions["engine"],
        call.tenant_id,
        lambda tx: customers.create(tx, profile=profile, request=request, source=call.caller.source, at=call.now),
    )
    return web.respond(reply)


@blueprint.route("/<id:customer_id>", methods=["DELETE"])
@blueprint.operation("customers:write", answers={200: ErasedCustomer})
def erase_customer(customer_id: int) -> Response:
    """Erase a customer

    Name, email, phone, external id, metadata and all notes are forgotten everywhere, in stored events too; ids,
    balances and amounts stay. It cannot be undone. The email can be used again a moment later.
    """
    call = web.current_call()
    request = web.request_key()
    reply = database.perform(
        current_app.extensions["engine"],
        call.tenant_id,
        lambda tx: erasing.erase(tx, customer_id=customer_id, request=request, source=call.caller.source, at=call.now),
    )
    return web.respond(reply)
