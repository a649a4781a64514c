"""Ask what a purchase or an adjustment would do, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from flask import Response

from loyalty_common.openapi import Blueprint
from loyalty_programs.api import edge
from loyalty_programs.api.points import TransactionFields, command_of
from loyalty_programs.api.receipts import customer_name, receipt
from loyalty_programs.domain import previews

blueprint = Blueprint(
    "Previews", __name__, url_prefix="/v1/loyalty-cards/<id:card_id>/transactions/preview", description=__doc__
)


class RuleTested(ma.Schema):
    rule = ma.fields.String(required=True)
    passed = ma.fields.Boolean(required=True)
    message = ma.fields.String(required=True)


class TransactionPreview(ma.Schema):
    allowed = ma.fields.Boolean(required=True)
    reason = ma.fields.String(required=True, allow_none=True)
    type = ma.fields.String(required=True, metadata={"enum": ["earn", "adjust"]})
    points_delta = ma.fields.Integer(required=True)
    points_balance_before = ma.fields.Integer(required=True)
    points_balance_after = ma.fields.Integer(required=True)
    would_enroll = ma.fields.Boolean(required=True)
    rules = ma.fields.List(ma.fields.Nested(RuleTested), required=True)


@blueprint.route("", methods=["POST"])
@blueprint.operation("programs:write", body=TransactionFields, answers={200: TransactionPreview}, role="staff")
def preview_transaction(sent: Mapping[str, Any], card_id: int) -> Response:
    """Preview a transaction

    The same rules with the same answers, each explained; nothing is written, and it is answered with HTTP 200 also
    where the transaction would be refused.
    """
    customer, paid, command = customer_name(sent), receipt(sent, operation="transactions"), command_of(sent)
    return edge.write(
        lambda tx, act: previews.preview(tx, card_id=card_id, customer=customer, command=command, receipt=paid, act=act)
    )
