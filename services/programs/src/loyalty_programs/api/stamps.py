"""Create and list stamp cards, then issue stamps after a qualifying purchase."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from flask import Response

from loyalty_common import fields, pagination, web
from loyalty_common.openapi import Blueprint
from loyalty_common.pagination import ListQuery
from loyalty_programs.api import edge
from loyalty_programs.api.receipts import ReceiptFields, customer_name, receipt
from loyalty_programs.domain import queries, shapes, stamp_cards, stamps
from loyalty_programs.domain.stamp_cards import StampCardSettings
from loyalty_programs.domain.stamps import StampOrder

blueprint = Blueprint("Stamp cards", __name__, url_prefix="/v1/stamp-cards", description=__doc__)


class StampCardFields(fields.Schema):
    name = fields.Text(required=True)
    partner_location_id = fields.Identifier(required=True)
    is_active = fields.Flag(load_default=True)
    stamps_required_for_reward = fields.Integer(required=True, maximum=1000)
    stamps_per_purchase = fields.Integer(maximum=100, load_default=1)
    valid_from = fields.Date()
    valid_until = fields.Date()
    reward_title = fields.Text(load_default="Reward")


class StampCard(ma.Schema):
    id = ma.fields.Integer(required=True)
    name = ma.fields.String(required=True)
    is_active = ma.fields.Boolean(required=True)
    stamps_required_for_reward = ma.fields.Integer(required=True)
    stamps_per_purchase = ma.fields.Integer(required=True)
    valid_from = ma.fields.Date(required=True, allow_none=True)
    valid_until = ma.fields.Date(required=True, allow_none=True)
    reward_title = ma.fields.String(required=True)
    partner_location_id = ma.fields.Integer(required=True)
    created_at = ma.fields.DateTime(required=True)
    updated_at = ma.fields.DateTime(required=True)


class StampFields(ReceiptFields):
    quantity = fields.Integer(maximum=100, load_default=1)


class StampTransaction(ma.Schema):
    id = ma.fields.Integer(required=True)
    type = ma.fields.String(required=True, metadata={"enum": ["earn", "reward", "reverse"]})
    customer_id = ma.fields.Integer(required=True)
    stamp_card_id = ma.fields.Integer(required=True)
    stamps_delta = ma.fields.Integer(required=True)
    stamps_balance_after = ma.fields.Integer(required=True)
    purchase_reference = ma.fields.String(required=True, allow_none=True)
    occurred_at = ma.fields.DateTime(required=True)
    recorded_at = ma.fields.DateTime(required=True)
    quantity = ma.fields.Integer(required=True, allow_none=True)
    amount = ma.fields.String(required=True, allow_none=True)
    currency = ma.fields.String(required=True, allow_none=True)
    partner_location_id = ma.fields.Integer(required=True, allow_none=True)
    notes = ma.fields.String(required=True, allow_none=True)
    source = ma.fields.String(required=True, metadata={"enum": ["api", "dashboard", "system", "import"]})
    stamp_reward_id = ma.fields.Integer(required=True, allow_none=True)
    reverses_stamp_id = ma.fields.Integer(required=True, allow_none=True)


def check_exists(*, stamp_card_id: int) -> None:
    """``NotFound`` for a stamp card that is not the caller's."""
    with edge.read() as tx:
        pagination.one_or_404(queries.stamp_card(tx, stamp_card_id=stamp_card_id))


@blueprint.route("", methods=["GET"])
@blueprint.listing("programs:read", of=StampCard, query=ListQuery)
def list_stamp_cards(query: Mapping[str, Any]) -> Response:
    """List stamp cards"""
    with edge.read() as tx:
        return pagination.page_of(
            tx,
            queries.all_stamp_cards(),
            by=queries.STAMP_CARDS_NEWEST,
            query=query,
            show=lambda row: shapes.stamp_card(row._asdict()),
        )


@blueprint.route("/<id:stamp_card_id>", methods=["GET"])
@blueprint.operation("programs:read", answers={200: StampCard})
def retrieve_stamp_card(stamp_card_id: int) -> Response:
    """Retrieve a stamp card"""
    with edge.read() as tx:
        row = pagination.one_or_404(queries.stamp_card(tx, stamp_card_id=stamp_card_id))
    return web.answer(shapes.stamp_card(row._asdict()))


@blueprint.route("", methods=["POST"])
@blueprint.operation("programs:write", body=StampCardFields, answers={201: StampCard})
def create_stamp_card(sent: Mapping[str, Any]) -> Response:
    """Create a stamp card"""
    settings = StampCardSettings(**sent)
    return edge.write(lambda tx, act: stamp_cards.create(tx, settings=settings, act=act))


@blueprint.route("/<id:stamp_card_id>/stamps", methods=["POST"])
@blueprint.operation(
    "programs:write", body=StampFields, answers={201: StampTransaction, 200: StampTransaction}, many=True
)
def issue_stamps(sent: Mapping[str, Any], stamp_card_id: int) -> Response:
    """Issue stamps to a customer

    Every full card unlocks a reward; stamps beyond it count for the next.
    """
    customer, paid = customer_name(sent), receipt(sent, operation="stamps")
    order = StampOrder(quantity=sent["quantity"], amount=sent["amount"], currency=sent["currency"])
    return edge.write(
        lambda tx, act: stamps.issue(
            tx, stamp_card_id=stamp_card_id, customer=customer, order=order, receipt=paid, act=act
        )
    )
