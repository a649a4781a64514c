"""Create and list vouchers, then redeem them for a customer at checkout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, current_app
from sqlalchemy import Row

from loyalty_common import database, pagination, web
from loyalty_common.openapi import Blueprint
from loyalty_vouchers.api.acts import current_act
from loyalty_vouchers.api.schemas import RedemptionFields, Voucher, VoucherFields, VoucherRedemption
from loyalty_vouchers.domain import queries, redemptions, vouchers
from loyalty_vouchers.domain.defining import Definition, refuse_contradictions
from loyalty_vouchers.domain.people import CustomerName
from loyalty_vouchers.domain.redemptions import Order

blueprint = Blueprint("Vouchers", __name__, url_prefix="/v1/vouchers", description=__doc__)


def check_voucher(voucher_id: int) -> None:
    """``NotFound`` for a path that names no voucher of the caller's."""
    _existing(voucher_id)


def _existing(voucher_id: int) -> Row[Any]:
    with database.transaction(current_app.extensions["engine"], web.current_call().tenant_id) as tx:
        return pagination.one_or_404(queries.by_id(tx, voucher_id=voucher_id))


@blueprint.route("", methods=["GET"])
@blueprint.listing("vouchers:read", of=Voucher, query=pagination.ListQuery)
def list_vouchers(query: Mapping[str, Any]) -> Response:
    """List vouchers"""
    with database.transaction(current_app.extensions["engine"], web.current_call().tenant_id) as tx:
        return pagination.page_of(tx, queries.ALL, by=queries.NEWEST_FIRST, query=query, show=queries.shown)


@blueprint.route("/<id:voucher_id>", methods=["GET"])
@blueprint.operation("vouchers:read", answers={200: Voucher})
def retrieve_voucher(voucher_id: int) -> Response:
    """Retrieve a voucher"""
    return web.answer(queries.shown(_existing(voucher_id)))


@blueprint.route("", methods=["POST"])
@blueprint.operation("vouchers:write", body=VoucherFields, answers={201: Voucher})
def create_voucher(sent: Mapping[str, Any]) -> Response:
    """Create a voucher

    voucher_code must be unique within your organization, ignoring case; leave it out to have one made.
    """
    settings = dict(sent)
    voucher_code = settings.pop("voucher_code")
    settings["currency"] = settings["currency"] or web.current_call().organization.currency
    definition = Definition(**settings)
    refuse_contradictions(definition)
    act = current_act()
    reply = current_app.extensions["directory"].perform(
        web.current_call().tenant_id,
        act.organization_id,
        lambda tx: vouchers.create(tx, definition=definition, voucher_code=voucher_code, act=act),
    )
    return web.respond(reply)


@blueprint.route("/<id:voucher_id>/redeem", methods=["POST"])
@blueprint.operation("vouchers:write", body=RedemptionFields, answers={201: VoucherRedemption, 200: VoucherRedemption})
def redeem_voucher(sent: Mapping[str, Any], voucher_id: int) -> Response:
    """Redeem a voucher for a customer

    The same order_reference for the same customer and amount is answered with the first redemption and HTTP 200.
    """
    act = current_act()
    customer = CustomerName(customer_id=sent["customer_id"], email=sent["customer_email"])
    order = Order(
        order_amount=sent["order_amount"],
        currency=sent["currency"],
        order_reference=sent["order_reference"],
        partner_location_id=sent["partner_location_id"],
        notes=sent["notes"],
        redeemed_at=sent["occurred_at"] or act.at,
    )
    reply = current_app.extensions["directory"].perform(
        web.current_call().tenant_id,
        act.organization_id,
        lambda tx: redemptions.redeem(tx, voucher_id=voucher_id, customer=customer, order=order, act=act),
    )
    return web.respond(reply)
