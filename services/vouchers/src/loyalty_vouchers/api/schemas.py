"""What is sent and what is answered about vouchers and redemptions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import marshmallow as ma

from loyalty_common import fields, web

_MOST_AHEAD = timedelta(minutes=5)
_OLDEST = timedelta(days=30)


class VoucherFields(fields.Schema):
    name = fields.Text(required=True)
    partner_location_id = fields.Identifier(required=True)
    voucher_code = fields.Text(max_length=64, pattern="[A-Za-z0-9_-]{1,64}")
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


class RedemptionFields(fields.Schema):
    customer_id = fields.Identifier()
    customer_email = fields.Email()
    order_amount = fields.Number(required=True)
    currency = fields.CurrencyCode(metadata={"description": "The voucher's if left out."})
    order_reference = fields.Text()
    partner_location_id = fields.Identifier()
    notes = fields.Text(max_length=1000, multiline=True)
    occurred_at = fields.Timestamp()

    @ma.validates("occurred_at")
    def _happened_lately(self, occurred_at: datetime | None, **_: Any) -> None:
        now = web.current_call().now
        if occurred_at is not None and not now - _OLDEST <= occurred_at <= now + _MOST_AHEAD:
            raise ma.ValidationError("The :field field must be within the last 30 days and at most 5 minutes ahead.")

    @ma.validates_schema
    def _names_a_customer(self, sent: Mapping[str, Any], **_: Any) -> None:
        if sent["customer_id"] is None and sent["customer_email"] is None:
            raise ma.ValidationError({"customer_id": ["The customer id or the customer email field is required."]})


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
