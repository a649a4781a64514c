"""Spend points at a till."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from flask import Response

from loyalty_common import fields, pagination
from loyalty_common.openapi import Blueprint
from loyalty_programs.api import edge
from loyalty_programs.api.points import MOST_POINTS, Transaction
from loyalty_programs.api.receipts import LedgerQuery, TillFields, customer_name, receipt
from loyalty_programs.domain import queries, redemption_queries, redemptions

blueprint = Blueprint(
    "Redemptions", __name__, url_prefix="/v1/loyalty-cards/<id:card_id>/redemptions", description=__doc__
)

_STATUSES = ("redeemed", "reversed")


class RedemptionFields(TillFields):
    points = fields.Integer(required=True, maximum=MOST_POINTS)


class RedemptionQuery(LedgerQuery):
    status = fields.Choice(*_STATUSES)


class Redemption(ma.Schema):
    id = ma.fields.Integer(required=True)
    customer_id = ma.fields.Integer(required=True)
    loyalty_card_id = ma.fields.Integer(required=True)
    points = ma.fields.Integer(required=True)
    status = ma.fields.String(required=True, metadata={"enum": list(_STATUSES)})
    reference = ma.fields.String(required=True, allow_none=True)
    partner_location_id = ma.fields.Integer(required=True, allow_none=True)
    notes = ma.fields.String(required=True, allow_none=True)
    redeemed_at = ma.fields.DateTime(required=True)
    reversed_at = ma.fields.DateTime(required=True, allow_none=True)
    created_at = ma.fields.DateTime(required=True)
    transaction = ma.fields.Nested(Transaction, required=True)


@blueprint.route("", methods=["POST"])
@blueprint.operation("programs:write", body=RedemptionFields, answers={201: Redemption, 200: Redemption}, role="staff")
def redeem_points(sent: Mapping[str, Any], card_id: int) -> Response:
    """Redeem points

    Only points that have not expired count. To undo it, reverse its transaction.
    """
    customer, paid = customer_name(sent), receipt(sent, operation="redemptions")
    return edge.write(
        lambda tx, act: redemptions.redeem(
            tx, card_id=card_id, customer=customer, points=sent["points"], receipt=paid, act=act
        )
    )


@blueprint.route("", methods=["GET"])
@blueprint.listing("programs:read", of=Redemption, query=RedemptionQuery)
def list_redemptions(query: Mapping[str, Any], card_id: int) -> Response:
    """List redemptions"""
    with edge.read() as tx:
        card = pagination.one_or_404(queries.loyalty_card(tx, card_id=card_id))
        time_zone = queries.home_time_zone(tx, card)
        return pagination.page_of(
            tx,
            redemption_queries.redemptions_of_card(card_id=card_id, filters=query, time_zone=time_zone),
            by=redemption_queries.NEWEST,
            query=query,
            show=redemption_queries.show,
        )
