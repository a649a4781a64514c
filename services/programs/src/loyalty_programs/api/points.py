"""Enroll customers on loyalty cards and post point transactions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from flask import Response

from loyalty_common import fields, pagination, web
from loyalty_common.openapi import Blueprint
from loyalty_programs.api import edge
from loyalty_programs.api.receipts import CustomerFields, LedgerQuery, ReceiptFields, customer_name, receipt
from loyalty_programs.domain import enrollments, points, queries, shapes
from loyalty_programs.domain.earning import Adjustment, Purchase
from loyalty_programs.domain.errors import AdjustmentReserved

blueprint = Blueprint("Points", __name__, url_prefix="/v1/loyalty-cards/<id:card_id>", description=__doc__)

MOST_POINTS = 1_000_000_000
_TYPES = ("earn", "bonus", "adjust", "redeem", "reverse", "expire")


class TransactionFields(ReceiptFields):
    """A purchase (``amount`` and ``currency``) or an adjustment (``points``)."""

    points = fields.Integer(minimum=-MOST_POINTS, maximum=MOST_POINTS)

    @ma.validates_schema
    def _is_purchase_or_adjustment(self, sent: Mapping[str, Any], **_: Any) -> None:
        if sent["points"] is None and sent["amount"] is None and sent["currency"] is None:
            raise ma.ValidationError({"amount": ["The :field field is required unless points is given."]})
        if sent["points"] is not None and sent["amount"] is not None:
            raise ma.ValidationError({"points": ["The :field field may not be combined with amount."]})
        if sent["points"] == 0:
            raise ma.ValidationError({"points": ["The :field field must not be 0."]})


class TransactionQuery(LedgerQuery):
    type = fields.Choice(*_TYPES)


class Transaction(ma.Schema):
    id = ma.fields.Integer(required=True)
    type = ma.fields.String(required=True, metadata={"enum": list(_TYPES)})
    customer_id = ma.fields.Integer(required=True)
    loyalty_card_id = ma.fields.Integer(required=True)
    points_delta = ma.fields.Integer(required=True)
    points_balance_after = ma.fields.Integer(required=True)
    purchase_reference = ma.fields.String(required=True, allow_none=True)
    occurred_at = ma.fields.DateTime(required=True)
    recorded_at = ma.fields.DateTime(required=True)
    enrollment_id = ma.fields.Integer(required=True)
    amount = ma.fields.String(required=True, allow_none=True)
    currency = ma.fields.String(required=True, allow_none=True)
    partner_location_id = ma.fields.Integer(required=True, allow_none=True)
    notes = ma.fields.String(required=True, allow_none=True)
    source = ma.fields.String(required=True, metadata={"enum": ["api", "dashboard", "system", "import"]})
    expires_on = ma.fields.Date(required=True, allow_none=True)
    reverses_transaction_id = ma.fields.Integer(required=True, allow_none=True)
    redemption_id = ma.fields.Integer(required=True, allow_none=True)
    reward_claim_id = ma.fields.Integer(required=True, allow_none=True)
    referral_id = ma.fields.Integer(required=True, allow_none=True)


class Enrollment(ma.Schema):
    id = ma.fields.Integer(required=True)
    customer_id = ma.fields.Integer(required=True)
    loyalty_card_id = ma.fields.Integer(required=True)
    member_number = ma.fields.String(required=True)
    status = ma.fields.String(required=True, metadata={"enum": ["active", "suspended"]})
    points_balance = ma.fields.Integer(required=True)
    created_at = ma.fields.DateTime(required=True)
    updated_at = ma.fields.DateTime(required=True)


class Enrolled(ma.Schema):
    enrollment = ma.fields.Nested(Enrollment, required=True)
    initial_bonus_transactions = ma.fields.List(ma.fields.Nested(Transaction), required=True)


def command_of(sent: Mapping[str, Any]) -> Purchase | Adjustment:
    """``AdjustmentReserved`` to staff, whom the gateway lets in here to credit purchases, with none of our scopes."""
    if not sent["points"]:
        return Purchase(sent["amount"], sent["currency"])
    if "programs:write" not in web.current_call().caller.scopes:
        raise AdjustmentReserved
    return Adjustment(sent["points"])


def check_transaction_exists(*, card_id: int, transaction_id: int) -> None:
    """``NotFound`` for a transaction that is not of this card of the caller's."""
    with edge.read() as tx:
        pagination.one_or_404(queries.transaction(tx, card_id=card_id, transaction_id=transaction_id))


@blueprint.route("/enrollments", methods=["POST"])
@blueprint.operation("programs:write", body=CustomerFields, answers={201: Enrolled, 200: Enrolled})
def enroll_customer(sent: Mapping[str, Any], card_id: int) -> Response:
    """Enroll a customer on a card

    Applies the card initial bonus points when configured. Who is enrolled already is answered with HTTP 200.
    """
    customer = customer_name(sent)
    return edge.write(lambda tx, act: enrollments.enroll(tx, card_id=card_id, customer=customer, act=act))


@blueprint.route("/transactions", methods=["POST"])
@blueprint.operation(
    "programs:write", body=TransactionFields, answers={201: Transaction, 200: Transaction}, role="staff"
)
def post_transaction(sent: Mapping[str, Any], card_id: int) -> Response:
    """Credit points from a purchase or adjust balance

    Send amount + currency for purchase-based earn rules, or points alone for a manual adjustment, which a signed-in
    user needs the role manager for.
    """
    customer, paid = customer_name(sent), receipt(sent, operation="transactions")
    command = command_of(sent)
    return edge.write(
        lambda tx, act: points.post(tx, card_id=card_id, customer=customer, command=command, receipt=paid, act=act)
    )


@blueprint.route("/transactions", methods=["GET"])
@blueprint.listing("programs:read", of=Transaction, query=TransactionQuery)
def list_transactions(query: Mapping[str, Any], card_id: int) -> Response:
    """List point transactions"""
    with edge.read() as tx:
        card = pagination.one_or_404(queries.loyalty_card(tx, card_id=card_id))
        time_zone = queries.home_time_zone(tx, card)
        return pagination.page_of(
            tx,
            queries.transactions(card_id=card_id, filters=query, time_zone=time_zone),
            by=queries.TRANSACTIONS_NEWEST,
            query=query,
            show=lambda row: shapes.transaction(row._asdict()),
        )


@blueprint.route("/transactions/<id:transaction_id>", methods=["GET"])
@blueprint.operation("programs:read", answers={200: Transaction})
def retrieve_transaction(card_id: int, transaction_id: int) -> Response:
    """Retrieve a point transaction"""
    with edge.read() as tx:
        row = pagination.one_or_404(queries.transaction(tx, card_id=card_id, transaction_id=transaction_id))
    return web.answer(shapes.transaction(row._asdict()))
