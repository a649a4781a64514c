"""Look up, create and change customers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, current_app

from loyalty_common import database, pagination, web
from loyalty_common.idempotency import Reply
from loyalty_common.openapi import Blueprint
from loyalty_customers.api.schemas import Customer, CustomerChanges, CustomerFields, CustomerQuery, ErasedCustomer
from loyalty_customers.domain import changing, customers, erasing, profiles, queries, searching
from loyalty_customers.domain.errors import PhoneNotPossible

blueprint = Blueprint("Customers", __name__, url_prefix="/v1/customers", description=__doc__)


@blueprint.route("", methods=["GET"])
@blueprint.listing("customers:read", of=Customer, query=CustomerQuery)
def list_customers(query: Mapping[str, Any]) -> Response:
    """List customers"""
    call = web.current_call()
    with database.transaction(current_app.extensions["engine"], call.tenant_id) as tx:
        rows, by = searching.matching(tx, query)
        return pagination.page_of(tx, rows, by=by, query=query, show=queries.shown)


def check_exists(*, customer_id: int, **_: Any) -> None:
    """``NotFound`` for a customer who is not the caller's."""
    with database.transaction(current_app.extensions["engine"], web.current_call().tenant_id) as tx:
        pagination.one_or_404(queries.by_id(tx, customer_id=customer_id))


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
    profile = profiles.Profile(**_dialled(sent))
    return _write(lambda tx, **act: customers.create(tx, profile=profile, **act))


@blueprint.route("/<id:customer_id>", methods=["PATCH"])
@blueprint.operation("customers:write", body=CustomerChanges, answers={200: Customer})
def change_customer(sent: Mapping[str, Any], customer_id: int) -> Response:
    """Change a customer

    What is left out stays as it is, null clears it; metadata is replaced as a whole. An email that another customer
    gave up a moment ago is answered 503 with Retry-After until every part of the suite knows that he did.
    """
    changes = _dialled(sent)
    return _write(lambda tx, **act: changing.change(tx, customer_id=customer_id, changes=changes, **act))


def _dialled(sent: Mapping[str, Any]) -> dict[str, Any]:
    """``sent`` with its phone number, if it has one, as the world dials it."""
    if not sent.get("phone"):
        return dict(sent)
    try:
        return {**sent, "phone": profiles.e164(sent["phone"], country=web.current_call().organization.country)}
    except PhoneNotPossible as refused:
        web.refuse_fields(refused.details)


def _write(operation: Callable[..., Reply]) -> Response:
    call = web.current_call()
    act = {"request": web.request_key(), "source": call.caller.source, "at": call.now}
    reply = database.perform(current_app.extensions["engine"], call.tenant_id, lambda tx: operation(tx, **act))
    return web.respond(reply)


@blueprint.route("/<id:customer_id>", methods=["DELETE"])
@blueprint.operation("customers:write", answers={200: ErasedCustomer})
def erase_customer(customer_id: int) -> Response:
    """Erase a customer

    Name, email, phone, external id, metadata and all notes are forgotten everywhere, in stored events too; ids,
    balances and amounts stay. It cannot be undone. The email can be used again a moment later.
    """
    return _write(lambda tx, **act: erasing.erase(tx, customer_id=customer_id, **act))
