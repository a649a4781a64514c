"""Ask what a voucher is worth, and redeem it for a customer at checkout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from flask import Response

from loyalty_common import fields, web
from loyalty_common.openapi import Blueprint
from loyalty_vouchers.api import edge
from loyalty_vouchers.api.redemptions import VoucherRedemption
from loyalty_vouchers.domain import redemptions, validating
from loyalty_vouchers.domain.dates import AHEAD, BACK
from loyalty_vouchers.domain.facts import VoucherName
from loyalty_vouchers.domain.judging import Purchase
from loyalty_vouchers.domain.people import CustomerName
from loyalty_vouchers.domain.redemptions import Order

blueprint = Blueprint("Checkout", __name__, url_prefix="/v1/vouchers", description=__doc__)


class PurchaseFields(fields.Schema):
    customer_id = fields.Identifier()
    customer_email = fields.Email()
    order_amount = fields.Number(required=True)
    currency = fields.CurrencyCode(metadata={"description": "The voucher's if left out."})
    partner_location_id = fields.Identifier()
    occurred_at = fields.Timestamp(
        metadata={"description": "At most 30 days back, for a till that was offline; now if left out."}
    )

    @ma.validates_schema
    def _happened_lately(self, sent: Mapping[str, Any], **_: Any) -> None:
        occurred_at, now = sent["occurred_at"], web.current_call().now
        if occurred_at is not None and not now - BACK <= occurred_at <= now + AHEAD:
            sentence = "The :field field may be at most 30 days back and 5 minutes ahead."
            raise ma.ValidationError({"occurred_at": [sentence]})


class RedemptionFields(PurchaseFields):
    order_reference = fields.Text(metadata={"description": "Used once for ever: a repetition answers the original."})
    notes = fields.Text(max_length=1000, multiline=True)

    @ma.validates_schema
    def _names_somebody(self, sent: Mapping[str, Any], **_: Any) -> None:
        if sent["customer_id"] is None and sent["customer_email"] is None:
            raise ma.ValidationError({"customer_id": ["The :field field is required unless customer_email is given."]})


class CodePurchaseFields(PurchaseFields):
    voucher_code = fields.Text(required=True, max_length=64)


class CodeRedemptionFields(RedemptionFields):
    voucher_code = fields.Text(required=True, max_length=64)


class VoucherValidation(ma.Schema):
    valid = ma.fields.Boolean(required=True)
    reason = ma.fields.String(required=True, allow_none=True)
    message = ma.fields.String(required=True)
    voucher_id = ma.fields.Integer(required=True)
    voucher_code = ma.fields.String(required=True)
    order_amount = ma.fields.String(required=True)
    discount_amount = ma.fields.String(required=True)
    currency = ma.fields.String(required=True)


@blueprint.route("/<id:voucher_id>/redeem", methods=["POST"])
@blueprint.operation(
    "vouchers:write", body=RedemptionFields, answers={201: VoucherRedemption, 200: VoucherRedemption}, role="staff"
)
def redeem_voucher(sent: Mapping[str, Any], voucher_id: int) -> Response:
    """Redeem a voucher for a customer

    A repetition of an order_reference, for the same customer and amount, is answered with the original and HTTP 200.
    """
    return _redeem(VoucherName(voucher_id=voucher_id), sent)


@blueprint.route("/redeem", methods=["POST"])
@blueprint.operation(
    "vouchers:write", body=CodeRedemptionFields, answers={201: VoucherRedemption, 200: VoucherRedemption}, role="staff"
)
def redeem_voucher_code(sent: Mapping[str, Any]) -> Response:
    """Redeem a voucher by its code

    As by its id; voucher_code may be typed in any case.
    """
    return _redeem(VoucherName(voucher_code=sent["voucher_code"]), sent)


@blueprint.route("/<id:voucher_id>/validate", methods=["POST"])
@blueprint.operation("vouchers:read", body=PurchaseFields, answers={200: VoucherValidation}, role="staff")
def validate_voucher(sent: Mapping[str, Any], voucher_id: int) -> Response:
    """Ask whether a voucher could be redeemed

    The rules of redeeming, and nothing is written: a voucher that they refuse is answered with HTTP 200 and valid
    false. Without a customer it is not asked how often one may redeem it.
    """
    return _validate(VoucherName(voucher_id=voucher_id), sent)


@blueprint.route("/validate", methods=["POST"])
@blueprint.operation("vouchers:read", body=CodePurchaseFields, answers={200: VoucherValidation}, role="staff")
def validate_voucher_code(sent: Mapping[str, Any]) -> Response:
    """Ask whether a voucher could be redeemed, by its code

    As by its id; voucher_code may be typed in any case.
    """
    return _validate(VoucherName(voucher_code=sent["voucher_code"]), sent)


def _redeem(voucher: VoucherName, sent: Mapping[str, Any]) -> Response:
    customer = CustomerName(customer_id=sent["customer_id"], email=sent["customer_email"])
    order = Order(**_purchase(sent), order_reference=sent["order_reference"], notes=sent["notes"])
    return edge.write(lambda tx, act: redemptions.redeem(tx, voucher=voucher, customer=customer, order=order, act=act))


def _validate(voucher: VoucherName, sent: Mapping[str, Any]) -> Response:
    customer = CustomerName(customer_id=sent["customer_id"], email=sent["customer_email"])
    purchase = Purchase(**_purchase(sent))
    return edge.ask(lambda tx: validating.validate(tx, voucher=voucher, customer=customer, purchase=purchase))


def _purchase(sent: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "order_amount": sent["order_amount"],
        "currency": sent["currency"],
        "partner_location_id": sent["partner_location_id"],
        "redeemed_at": sent["occurred_at"] or web.current_call().now,
    }
