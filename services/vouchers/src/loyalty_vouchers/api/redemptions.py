"""Redeem vouchers for a customer at checkout."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import marshmallow as ma
from flask import Response

from loyalty_common import fields, web
from loyalty_common.openapi import Blueprint
from loyalty_vouchers.api import edge
from loyalty_vouchers.domain import redemptions
from loyalty_vouchers.domain.people import CustomerName
from loyalty_vouchers.domain.redemptions import Order

blueprint = Blueprint("Redemptions", __name__, url_prefix="/v1/vouchers", description=__doc__)

_AHEAD = timedelta(minutes=5)
_BACK = timedelta(days=30)


class RedemptionFields(fields.Schema):
    customer_id = fields.Identifier()
    customer_email = fields.Email()
    order_amount = fields.Number(required=True)
    currency = fields.CurrencyCode(metadata={"description": "The voucher's if left out."})
    order_reference = fields.Text(metadata={"description": "Used once for ever: a repetition answers the original."})
    partner_location_id = fields.Identifier()
    notes = fields.Text(max_length=1000, multiline=True)
    occurred_at = fields.Timestamp(
        metadata={"description": "At most 30 days back, for a till that was offline; now if left out."}
    )

    @ma.validates_schema
    def _names_somebody(self, sent: Mapping[str, Any], **_: Any) -> None:
        if sent["customer_id"] is None and sent["customer_email"] is None:
            raise ma.ValidationError({"customer_id": ["The :field field is required unless customer_email is given."]})

    @ma.validates_schema
    def _happened_lately(self, sent: Mapping[str, Any], **_: Any) -> None:
        occurred_at, now = sent["occurred_at"], web.current_call().now
        if occurred_at is not None and not now - _BACK <= occurred_at <= now + _AHEAD:
            sentence = "The :field field may be at most 30 days back and 5 minutes ahead."
            raise ma.ValidationError({"occurred_at": [sentence]})


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


@blueprint.route("/<id:voucher_id>/redeem", methods=["POST"])
@blueprint.operation("vouchers:write", body=RedemptionFields, answers={201: VoucherRedemption, 200: VoucherRedemption})
def redeem_voucher(sent: Mapping[str, Any], voucher_id: int) -> Response:
    """Redeem a voucher for a customer

    A repetition of an order_reference, for the same customer and amount, is answered with the original and HTTP 200.
    """
    customer = CustomerName(customer_id=sent["customer_id"], email=sent["customer_email"])
    order = Order(
        order_amount=sent["order_amount"],
        currency=sent["currency"],
        order_reference=sent["order_reference"],
        partner_location_id=sent["partner_location_id"],
        notes=sent["notes"],
        redeemed_at=sent["occurred_at"] or web.current_call().now,
    )
    return edge.write(
        lambda tx, act: redemptions.redeem(tx, voucher_id=voucher_id, customer=customer, order=order, act=act)
    )
