"""Issue stamps after a qualifying purchase, take them back, and see how far customers are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from flask import Response

from loyalty_common import fields, pagination, web
from loyalty_common.openapi import Blueprint
from loyalty_common.pagination import ListQuery
from loyalty_programs.api import edge
from loyalty_programs.api.receipts import CustomerFields, DateOrTime, ReceiptFields, customer_name, receipt
from loyalty_programs.domain import queries, shapes, stamp_queries, stamp_reversals, stamps
from loyalty_programs.domain.acts import Receipt
from loyalty_programs.domain.stamps import StampOrder

blueprint = Blueprint("Stamps", __name__, url_prefix="/v1/stamp-cards/<id:stamp_card_id>", description=__doc__)

_TYPES = ("earn", "reward", "reverse")


class StampFields(ReceiptFields):
    quantity = fields.Integer(maximum=100, load_default=1)


class StampReversalFields(fields.Schema):
    may_be_absent = True

    reference = fields.Text(metadata={"description": "Used once for ever: a repetition answers the original."})
    notes = fields.Text(max_length=1000, multiline=True)


class StampQuery(ListQuery):
    customer_id = fields.Identifier()
    customer_email = fields.Email()
    reference = fields.Text()
    type = fields.Choice(*_TYPES)
    first = DateOrTime(data_key="from")
    last = DateOrTime(data_key="to")


class StampTransaction(ma.Schema):
    id = ma.fields.Integer(required=True)
    type = ma.fields.String(required=True, metadata={"enum": list(_TYPES)})
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


class StampProgress(ma.Schema):
    customer_id = ma.fields.Integer(required=True)
    stamp_card_id = ma.fields.Integer(required=True)
    stamps_balance = ma.fields.Integer(required=True)
    stamps_required_for_reward = ma.fields.Integer(required=True)
    stamps_missing = ma.fields.Integer(required=True)
    rewards_unlocked = ma.fields.Integer(required=True)
    rewards_fulfilled = ma.fields.Integer(required=True)
    last_stamped_at = ma.fields.DateTime(required=True, allow_none=True)


def check_exists(*, stamp_card_id: int, stamp_id: int) -> None:
    """``NotFound`` for a row that is not in the ledger of a stamp card of the caller's."""
    with edge.read() as tx:
        pagination.one_or_404(stamp_queries.stamp(tx, stamp_card_id=stamp_card_id, stamp_id=stamp_id))


@blueprint.route("/stamps", methods=["POST"])
@blueprint.operation(
    "programs:write",
    body=StampFields,
    answers={201: StampTransaction, 200: StampTransaction},
    many=True,
    role="staff",
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


@blueprint.route("/stamps", methods=["GET"])
@blueprint.listing("programs:read", of=StampTransaction, query=StampQuery)
def list_stamps(query: Mapping[str, Any], stamp_card_id: int) -> Response:
    """List stamp transactions"""
    with edge.read() as tx:
        card = pagination.one_or_404(queries.stamp_card(tx, stamp_card_id=stamp_card_id))
        time_zone = queries.home_time_zone(tx, card)
        return pagination.page_of(
            tx,
            stamp_queries.stamps(stamp_card_id=stamp_card_id, filters=query, time_zone=time_zone),
            by=stamp_queries.STAMPS_NEWEST,
            query=query,
            show=lambda row: shapes.stamp(row._asdict()),
        )


@blueprint.route("/stamps/<id:stamp_id>", methods=["GET"])
@blueprint.operation("programs:read", answers={200: StampTransaction})
def retrieve_stamp(stamp_card_id: int, stamp_id: int) -> Response:
    """Retrieve a stamp transaction"""
    with edge.read() as tx:
        row = pagination.one_or_404(stamp_queries.stamp(tx, stamp_card_id=stamp_card_id, stamp_id=stamp_id))
    return web.answer(shapes.stamp(row._asdict()))


@blueprint.route("/stamps/<id:stamp_id>/reverse", methods=["POST"])
@blueprint.operation(
    "programs:write", body=StampReversalFields, answers={201: StampTransaction, 200: StampTransaction}, many=True
)
def reverse_stamps(sent: Mapping[str, Any], stamp_card_id: int, stamp_id: int) -> Response:
    """Take the stamps of a purchase back

    Where the balance does not hold them any more, unlocked rewards are revoked and give their stamps back: those that
    this purchase unlocked first, then the newest, and no more than needed. Refused (not_reversible) when a reward that
    would be needed, or that this purchase unlocked, was handed out.
    """
    call = web.current_call()
    told = Receipt(occurred_at=call.now, operation="reverse", reference=sent["reference"], notes=sent["notes"])
    return edge.write(
        lambda tx, act: stamp_reversals.reverse(
            tx, stamp_card_id=stamp_card_id, stamp_id=stamp_id, receipt=told, act=act
        )
    )


@blueprint.route("/progress", methods=["GET"])
@blueprint.operation("programs:read", query=CustomerFields, answers={200: StampProgress})
def retrieve_stamp_progress(query: Mapping[str, Any], stamp_card_id: int) -> Response:
    """See how far a customer is on a stamp card

    Zeros for a customer who was never stamped.
    """
    customer = customer_name(query)
    return web.answer(
        edge.perform(lambda tx: stamp_queries.progress(tx, stamp_card_id=stamp_card_id, customer=customer))
    )
