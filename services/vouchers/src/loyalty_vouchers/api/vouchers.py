"""Create and list vouchers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from flask import Response

from loyalty_common import fields, pagination, web
from loyalty_common.openapi import Blueprint
from loyalty_vouchers.api import edge
from loyalty_vouchers.domain import queries, shapes, vouchers
from loyalty_vouchers.domain.defining import Definition, check_definition

blueprint = Blueprint("Vouchers", __name__, url_prefix="/v1/vouchers", description=__doc__)


class VoucherQuery(pagination.ListQuery):
    search = fields.Text(max_length=100, metadata={"description": "Part of the name or of the code, in any case."})
    is_active = fields.Choice("true", "false")
    voucher_batch_id = fields.Identifier()
    partner_location_id = fields.Identifier()


class GrantFields(fields.Schema):
    name = fields.Text(required=True)
    partner_location_id = fields.Identifier(required=True)
    is_active = fields.Flag(load_default=True)
    discount_type = fields.Choice("percent", "fixed", required=True)
    discount_value = fields.Number(required=True)
    valid_from = fields.Date()
    valid_until = fields.Date()
    currency = fields.CurrencyCode(metadata={"description": "The organization's if left out."})
    minimum_order_amount = fields.Number()
    max_discount_amount = fields.Number()
    max_redemptions = fields.Integer()
    max_redemptions_per_customer = fields.Integer()


class VoucherFields(GrantFields):
    voucher_code = fields.Text(
        max_length=64, pattern="[A-Za-z0-9_-]{1,64}", metadata={"description": "A random one if left out."}
    )


class VoucherChanges(fields.Changes, VoucherFields):
    pass


class Voucher(ma.Schema):
    id = ma.fields.Integer(required=True)
    name = ma.fields.String(required=True)
    voucher_code = ma.fields.String(required=True)
    is_active = ma.fields.Boolean(required=True)
    discount_type = ma.fields.String(required=True, metadata={"enum": ["percent", "fixed"]})
    discount_value = ma.fields.String(required=True)
    valid_from = ma.fields.Date(required=True, allow_none=True)
    valid_until = ma.fields.Date(required=True, allow_none=True)
    currency = ma.fields.String(required=True)
    minimum_order_amount = ma.fields.String(required=True, allow_none=True)
    max_discount_amount = ma.fields.String(required=True, allow_none=True)
    max_redemptions = ma.fields.Integer(required=True, allow_none=True)
    max_redemptions_per_customer = ma.fields.Integer(required=True, allow_none=True)
    redemptions_count = ma.fields.Integer(required=True)
    partner_location_id = ma.fields.Integer(required=True)
    voucher_batch_id = ma.fields.Integer(required=True, allow_none=True)
    created_at = ma.fields.DateTime(required=True)
    updated_at = ma.fields.DateTime(required=True)


def check_exists(*, voucher_id: int, **_: int) -> None:
    """``NotFound`` for a voucher that is not the caller's."""
    with edge.read() as tx:
        pagination.one_or_404(queries.voucher(tx, voucher_id=voucher_id))


@blueprint.route("", methods=["GET"])
@blueprint.listing("vouchers:read", of=Voucher, query=VoucherQuery)
def list_vouchers(query: Mapping[str, Any]) -> Response:
    """List vouchers"""
    with edge.read() as tx:
        return pagination.page_of(
            tx,
            queries.vouchers(query),
            by=queries.VOUCHERS_NEWEST,
            query=query,
            show=lambda row: shapes.voucher(row._mapping),
        )


@blueprint.route("/<id:voucher_id>", methods=["GET"])
@blueprint.operation("vouchers:read", answers={200: Voucher})
def retrieve_voucher(voucher_id: int) -> Response:
    """Retrieve a voucher"""
    with edge.read() as tx:
        row = pagination.one_or_404(queries.voucher(tx, voucher_id=voucher_id))
    return web.answer(shapes.voucher(row._mapping))


@blueprint.route("", methods=["POST"])
@blueprint.operation("vouchers:write", body=VoucherFields, answers={201: Voucher})
def create_voucher(sent: Mapping[str, Any]) -> Response:
    """Create a voucher

    voucher_code must be unique within your organization, ignoring case (letters, numbers, dashes, underscores).
    """
    definition = Definition(**in_a_currency(sent))
    check_definition(definition)
    return edge.write(lambda tx, act: vouchers.create(tx, definition=definition, act=act))


@blueprint.route("/<id:voucher_id>", methods=["PATCH"])
@blueprint.operation("vouchers:write", body=VoucherChanges, answers={200: Voucher})
def change_voucher(sent: Mapping[str, Any], voucher_id: int) -> Response:
    """Change a voucher

    What is left out stays as it is; null means the default, for voucher_code a new random one. Redemptions stay as
    they were. max_redemptions may be set below what is redeemed: then nothing more is.
    """
    changes = in_a_currency(sent)
    return edge.write(lambda tx, act: vouchers.change(tx, voucher_id=voucher_id, changes=changes, act=act))


def in_a_currency(sent: Mapping[str, Any]) -> dict[str, Any]:
    """What was sent, with the organization's currency for null."""
    if sent.get("currency", "") is None:
        return {**sent, "currency": web.current_call().organization.currency}
    return dict(sent)
