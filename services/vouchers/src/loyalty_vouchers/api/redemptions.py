"""See what vouchers were redeemed for, and undo it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from flask import Response

from loyalty_common import fields, pagination, web
from loyalty_common.openapi import Blueprint
from loyalty_vouchers.api import edge, periods, vouchers
from loyalty_vouchers.domain import queries, rollbacks, shapes

blueprint = Blueprint("Voucher redemptions", __name__, url_prefix="/v1/vouchers", description=__doc__)


class RedemptionQuery(pagination.ListQuery, periods.PeriodQuery):
    customer_id = fields.Identifier()
    customer_email = fields.Email()
    status = fields.Choice("redeemed", "rolled_back")
    order_reference = fields.Text()


class VoucherRedemption(ma.Schema):
    id = ma.fields.Integer(required=True)
    voucher_id = ma.fields.Integer(required=True)
    customer_id = ma.fields.Integer(required=True)
    voucher_code = ma.fields.String(required=True)
    order_amount = ma.fields.String(required=True)
    discount_amount = ma.fields.String(required=True)
    order_reference = ma.fields.String(required=True, allow_none=True)
    redeemed_at = ma.fields.DateTime(required=True)
    currency = ma.fields.String(required=True)
    status = ma.fields.String(required=True, metadata={"enum": ["redeemed", "rolled_back"]})
    partner_location_id = ma.fields.Integer(required=True, allow_none=True)
    notes = ma.fields.String(required=True, allow_none=True)
    source = ma.fields.String(required=True, metadata={"enum": ["api", "dashboard", "system", "import"]})
    rolled_back_at = ma.fields.DateTime(required=True, allow_none=True)
    created_at = ma.fields.DateTime(required=True)


def check_exists(*, voucher_id: int, redemption_id: int) -> None:
    """``NotFound`` for a redemption that is not the voucher's."""
    with edge.read() as tx:
        pagination.one_or_404(queries.redemption_of(tx, voucher_id=voucher_id, redemption_id=redemption_id))


@blueprint.route("/<id:voucher_id>/redemptions", methods=["GET"])
@blueprint.listing("vouchers:read", of=VoucherRedemption, query=RedemptionQuery)
def list_voucher_redemptions(query: Mapping[str, Any], voucher_id: int) -> Response:
    """List a voucher's redemptions"""
    vouchers.check_exists(voucher_id=voucher_id)
    with edge.read() as tx:
        return pagination.page_of(
            tx,
            queries.redemptions(query, voucher_id=voucher_id, period=periods.asked_for(query)),
            by=queries.REDEMPTIONS_NEWEST,
            query=query,
            show=lambda row: shapes.redemption(row._mapping),
        )


@blueprint.route("/<id:voucher_id>/redemptions/<id:redemption_id>", methods=["GET"])
@blueprint.operation("vouchers:read", answers={200: VoucherRedemption})
def retrieve_voucher_redemption(voucher_id: int, redemption_id: int) -> Response:
    """Retrieve a redemption"""
    with edge.read() as tx:
        row = pagination.one_or_404(queries.redemption_of(tx, voucher_id=voucher_id, redemption_id=redemption_id))
    return web.answer(shapes.redemption(row._mapping))


@blueprint.route("/<id:voucher_id>/redemptions/<id:redemption_id>/rollback", methods=["POST"])
@blueprint.operation("vouchers:write", body=fields.Nothing, answers={200: VoucherRedemption})
def roll_back_voucher_redemption(_: Mapping[str, Any], voucher_id: int, redemption_id: int) -> Response:
    """Roll a redemption back

    Its use and its order_reference are free again. A redemption that was rolled back before is answered as it is,
    with meta.duplicate.
    """
    return edge.write(
        lambda tx, act: rollbacks.roll_back(tx, voucher_id=voucher_id, redemption_id=redemption_id, act=act)
    )
