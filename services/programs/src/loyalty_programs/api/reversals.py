"""Take transactions back: refunds, corrections, redemptions that were none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response

from loyalty_common import fields
from loyalty_common.openapi import Blueprint
from loyalty_programs.api import edge
from loyalty_programs.api.points import Transaction
from loyalty_programs.domain import reversals
from loyalty_programs.domain.reversals import ReversalOrder

blueprint = Blueprint(
    "Reversals", __name__, url_prefix="/v1/loyalty-cards/<id:card_id>/transactions", description=__doc__
)


class ReversalFields(fields.Schema):
    may_be_absent = True

    amount = fields.Number(metadata={"description": "Of a purchase; all that is left if left out."})
    reference = fields.Text(metadata={"description": "Used once for ever: a repetition answers the original."})
    notes = fields.Text(max_length=1000, multiline=True)


@blueprint.route("/<id:transaction_id>/reverse", methods=["POST"])
@blueprint.operation("programs:write", body=ReversalFields, answers={201: Transaction, 200: Transaction})
def reverse_transaction(sent: Mapping[str, Any], card_id: int, transaction_id: int) -> Response:
    """Reverse a transaction

    A purchase may be refunded in parts by amount; adjustments, bonuses and redemptions are reversed as a whole.
    Also on cards and enrollments that are out of use.
    """
    order = ReversalOrder(**sent)
    return edge.write(
        lambda tx, act: reversals.reverse(tx, card_id=card_id, transaction_id=transaction_id, order=order, act=act)
    )
