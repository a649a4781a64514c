"""Claim rewards for customers, hand them over, take claims back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from flask import Response

from loyalty_common import fields, pagination, web
from loyalty_common.openapi import Blueprint
from loyalty_common.pagination import ListQuery
from loyalty_programs.api import edge
from loyalty_programs.api.points import Transaction
from loyalty_programs.api.receipts import CustomerFields, customer_name
from loyalty_programs.domain import claims, queries, reward_queries, shapes
from loyalty_programs.domain.acts import Receipt

blueprint = Blueprint("Claims", __name__, url_prefix="/v1/loyalty-cards/<id:card_id>", description=__doc__)

_STATUSES = ("claimed", "fulfilled", "cancelled")


class ClaimFields(CustomerFields):
    partner_location_id = fields.Identifier()
    notes = fields.Text(max_length=1000, multiline=True)


class FulfilmentFields(fields.Schema):
    may_be_absent = True

    order_reference = fields.Text(
        metadata={"description": "With the same one again the first result is answered; with another, it is refused."}
    )
    partner_location_id = fields.Identifier()


class ClaimQuery(ListQuery):
    status = fields.Choice(*_STATUSES)
    customer_id = fields.Identifier()
    customer_email = fields.Email()
    claim_code = fields.Text(max_length=20)


class Claim(ma.Schema):
    id = ma.fields.Integer(required=True)
    loyalty_reward_id = ma.fields.Integer(required=True)
    loyalty_card_id = ma.fields.Integer(required=True)
    customer_id = ma.fields.Integer(required=True)
    reward_title = ma.fields.String(required=True)
    points_cost = ma.fields.Integer(required=True)
    claim_code = ma.fields.String(required=True)
    status = ma.fields.String(required=True, metadata={"enum": list(_STATUSES)})
    partner_location_id = ma.fields.Integer(required=True, allow_none=True)
    notes = ma.fields.String(required=True, allow_none=True)
    order_reference = ma.fields.String(required=True, allow_none=True)
    claimed_at = ma.fields.DateTime(required=True)
    fulfilled_at = ma.fields.DateTime(required=True, allow_none=True)
    cancelled_at = ma.fields.DateTime(required=True, allow_none=True)
    created_at = ma.fields.DateTime(required=True)


class ClaimWithTransaction(ma.Schema):
    claim = ma.fields.Nested(Claim, required=True)
    transaction = ma.fields.Nested(Transaction, required=True)


def check_exists(*, card_id: int, claim_id: int) -> None:
    """``NotFound`` for a claim that is not on this card of the caller's."""
    with edge.read() as tx:
        pagination.one_or_404(reward_queries.claim(tx, card_id=card_id, claim_id=claim_id))


@blueprint.route("/rewards/<id:loyalty_reward_id>/claim", methods=["POST"])
@blueprint.operation("programs:write", body=ClaimFields, answers={201: ClaimWithTransaction}, role="staff")
def claim_reward(sent: Mapping[str, Any], card_id: int, loyalty_reward_id: int) -> Response:
    """Claim a reward for a customer

    Takes its cost from the balance and a piece from the stock.
    """
    customer, now = customer_name(sent), web.current_call().now
    receipt = Receipt(occurred_at=now, partner_location_id=sent["partner_location_id"], notes=sent["notes"])
    return edge.write(
        lambda tx, act: claims.claim(
            tx, card_id=card_id, reward_id=loyalty_reward_id, customer=customer, receipt=receipt, act=act
        )
    )


@blueprint.route("/claims", methods=["GET"])
@blueprint.listing("programs:read", of=Claim, query=ClaimQuery)
def list_claims(query: Mapping[str, Any], card_id: int) -> Response:
    """List claims"""
    with edge.read() as tx:
        pagination.one_or_404(queries.loyalty_card(tx, card_id=card_id))
        return pagination.page_of(
            tx,
            reward_queries.claims_of(card_id=card_id, filters=query),
            by=reward_queries.CLAIMS_NEWEST,
            query=query,
            show=lambda row: shapes.reward_claim(row._asdict()),
        )


@blueprint.route("/claims/<id:claim_id>", methods=["GET"])
@blueprint.operation("programs:read", answers={200: Claim})
def retrieve_claim(card_id: int, claim_id: int) -> Response:
    """Retrieve a claim"""
    with edge.read() as tx:
        row = pagination.one_or_404(reward_queries.claim(tx, card_id=card_id, claim_id=claim_id))
    return web.answer(shapes.reward_claim(row._asdict()))


@blueprint.route("/claims/<id:claim_id>/fulfill", methods=["POST"])
@blueprint.operation("programs:write", body=FulfilmentFields, answers={200: Claim}, role="staff")
def fulfill_claim(sent: Mapping[str, Any], card_id: int, claim_id: int) -> Response:
    """Hand a claimed reward over

    Works although card or enrollment are inactive meanwhile: the points are paid.
    """
    order_reference, location_id = sent["order_reference"], sent["partner_location_id"]
    return edge.write(
        lambda tx, act: claims.fulfill(
            tx, card_id=card_id, claim_id=claim_id, order_reference=order_reference, location_id=location_id, act=act
        )
    )


@blueprint.route("/claims/<id:claim_id>/cancel", methods=["POST"])
@blueprint.operation("programs:write", body=fields.Nothing, answers={200: ClaimWithTransaction})
def cancel_claim(_: Mapping[str, Any], card_id: int, claim_id: int) -> Response:
    """Take a claim back

    The points return with their old expiry, the piece to the stock. What was handed over cannot be cancelled.
    """
    return edge.write(lambda tx, act: claims.cancel(tx, card_id=card_id, claim_id=claim_id, act=act))
