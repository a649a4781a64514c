"""Make many vouchers of one kind, each with a code of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from flask import Response

from loyalty_common import fields, pagination, web
from loyalty_common.downloads import csv_response, csv_text
from loyalty_common.openapi import Blueprint
from loyalty_vouchers.api import edge
from loyalty_vouchers.api.vouchers import GrantFields, in_a_currency
from loyalty_vouchers.domain import batches, codes, queries, shapes, streams
from loyalty_vouchers.domain.batches import Codes
from loyalty_vouchers.domain.defining import Definition

blueprint = Blueprint("Voucher batches", __name__, url_prefix="/v1/voucher-batches", description=__doc__)

_LARGEST = 100_000
_GRANTED = frozenset(GrantFields().fields)
_HEADER = ("voucher_id", "voucher_code", "is_active", "redemptions_count")


class VoucherBatchFields(GrantFields):
    quantity = fields.Integer(required=True, maximum=_LARGEST)
    code_prefix = fields.Text(max_length=32, pattern="[A-Za-z0-9_-]{1,32}")
    code_length = fields.Integer(
        maximum=32,
        load_default=codes.LENGTH,
        metadata={"description": "How many random characters follow the prefix; the more vouchers, the more it needs."},
    )


class Job(ma.Schema):
    id = ma.fields.Integer(required=True)
    type = ma.fields.String(required=True, metadata={"enum": ["voucher_batch"]})
    status = ma.fields.String(
        required=True, metadata={"enum": ["queued", "running", "succeeded", "failed", "cancelled"]}
    )
    total = ma.fields.Integer(required=True, allow_none=True)
    processed = ma.fields.Integer(required=True)
    succeeded = ma.fields.Integer(required=True)
    failed = ma.fields.Integer(required=True)
    error = ma.fields.String(required=True, allow_none=True)
    created_at = ma.fields.DateTime(required=True)
    started_at = ma.fields.DateTime(required=True, allow_none=True)
    finished_at = ma.fields.DateTime(required=True, allow_none=True)


class VoucherBatch(ma.Schema):
    id = ma.fields.Integer(required=True)
    name = ma.fields.String(required=True)
    quantity = ma.fields.Integer(required=True)
    code_prefix = ma.fields.String(required=True, allow_none=True)
    code_length = ma.fields.Integer(required=True)
    partner_location_id = ma.fields.Integer(required=True)
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
    job = ma.fields.Nested(Job, required=True)
    created_at = ma.fields.DateTime(required=True)


def check_exists(*, voucher_batch_id: int) -> None:
    """``NotFound`` for a batch that is not the caller's."""
    with edge.read() as tx:
        pagination.one_or_404(queries.batch(tx, voucher_batch_id=voucher_batch_id))


@blueprint.route("", methods=["GET"])
@blueprint.listing("vouchers:read", of=VoucherBatch, query=pagination.ListQuery)
def list_voucher_batches(query: Mapping[str, Any]) -> Response:
    """List voucher batches"""
    with edge.read() as tx:
        return pagination.page_of(
            tx,
            queries.BATCHES,
            by=queries.BATCHES_NEWEST,
            query=query,
            show=lambda row: shapes.batch(row._mapping),
        )


@blueprint.route("/<id:voucher_batch_id>", methods=["GET"])
@blueprint.operation("vouchers:read", answers={200: VoucherBatch})
def retrieve_voucher_batch(voucher_batch_id: int) -> Response:
    """Retrieve a voucher batch

    As it was ordered: its vouchers may have changed since.
    """
    with edge.read() as tx:
        row = pagination.one_or_404(queries.batch(tx, voucher_batch_id=voucher_batch_id))
    return web.answer(shapes.batch(row._mapping))


@blueprint.route("", methods=["POST"])
@blueprint.operation("vouchers:write", body=VoucherBatchFields, answers={201: VoucherBatch}, timeout_s=60)
def create_voucher_batch(sent: Mapping[str, Any]) -> Response:
    """Create a batch of vouchers

    All of them at once, or none: the answer may take seconds. Each is a voucher like any other, with a random code
    that nobody else has.
    """
    ordered = Codes(quantity=sent["quantity"], prefix=sent["code_prefix"], length=sent["code_length"])
    granted = {name: value for name, value in in_a_currency(sent).items() if name in _GRANTED}
    definition = Definition(**granted, voucher_code=None)
    return edge.write(lambda tx, act: batches.create(tx, definition=definition, codes=ordered, act=act))


@blueprint.route("/<id:voucher_batch_id>/codes.csv", methods=["GET"])
@blueprint.download("vouchers:read", media_types=["text/csv"])
def download_voucher_codes(voucher_batch_id: int) -> Response:
    """Download the codes of a batch"""
    check_exists(voucher_batch_id=voucher_batch_id)
    rows = (
        (row.id, csv_text(row.voucher_code), "true" if row.is_active else "false", row.redemptions_count)
        for row in streams.vouchers_of_batch(edge.read, voucher_batch_id=voucher_batch_id)
    )
    return csv_response(_HEADER, rows, file_name=f"voucher-batch-{voucher_batch_id}.csv")
