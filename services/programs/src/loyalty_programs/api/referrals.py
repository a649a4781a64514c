"""Refer friends to a loyalty card and follow what comes of it."""

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
from loyalty_programs.domain import referral_completion, referral_queries, referrals, shapes
from loyalty_programs.domain.referring import TYPES

blueprint = Blueprint(
    "Referrals", __name__, url_prefix="/v1/referral-programs/<id:referral_program_id>/referrals", description=__doc__
)

_STATUSES = ("pending", "in_progress", "completed")


class ReferralFields(CustomerFields):
    """The friend, and the code of the member who brought him."""

    referral_code = fields.Text(required=True, max_length=64)


class ReferralQuery(ListQuery):
    status = fields.Choice(*_STATUSES)
    referrer_customer_id = fields.Identifier()
    referred_customer_id = fields.Identifier()


class CompletionFields(fields.Schema):
    may_be_absent = True

    milestone_id = fields.Identifier(metadata={"description": "May be left out where one custom milestone is open."})


class ReferralMilestone(ma.Schema):
    milestone_id = ma.fields.Integer(required=True)
    type = ma.fields.String(required=True, metadata={"enum": list(TYPES)})
    completed_at = ma.fields.DateTime(required=True, allow_none=True)
    progress = ma.fields.String(required=True)
    target = ma.fields.String(required=True)


class Referral(ma.Schema):
    id = ma.fields.Integer(required=True)
    referral_program_id = ma.fields.Integer(required=True)
    referral_code = ma.fields.String(required=True)
    referrer_customer_id = ma.fields.Integer(required=True)
    referred_customer_id = ma.fields.Integer(required=True)
    status = ma.fields.String(required=True, metadata={"enum": list(_STATUSES)})
    milestones = ma.fields.List(ma.fields.Nested(ReferralMilestone), required=True)
    created_at = ma.fields.DateTime(required=True)
    completed_at = ma.fields.DateTime(required=True, allow_none=True)


class CompletedMilestone(ma.Schema):
    referral = ma.fields.Nested(Referral, required=True)
    milestone = ma.fields.Nested(ReferralMilestone, required=True)
    reward_transactions = ma.fields.List(ma.fields.Nested(Transaction), required=True)


def check_exists(*, referral_program_id: int, referral_id: int, **_: int) -> None:
    """``NotFound`` for a referral that is not the program's."""
    with edge.read() as tx:
        pagination.one_or_404(
            referral_queries.referral(tx, referral_program_id=referral_program_id, referral_id=referral_id)
        )


@blueprint.route("", methods=["GET"])
@blueprint.listing("programs:read", of=Referral, query=ReferralQuery)
def list_referrals(query: Mapping[str, Any], referral_program_id: int) -> Response:
    """List the referrals of a program"""
    with edge.read() as tx:
        pagination.one_or_404(referral_queries.referral_program(tx, referral_program_id=referral_program_id))
        return pagination.page_of(
            tx,
            referral_queries.referrals_of_program(filters=query),
            by=referral_queries.REFERRALS_NEWEST,
            query=query,
            show=lambda row: shapes.referral(row._asdict()),
            parameters={"referral_program_id": referral_program_id},
        )


@blueprint.route("/<id:referral_id>", methods=["GET"])
@blueprint.operation("programs:read", answers={200: Referral})
def retrieve_referral(referral_program_id: int, referral_id: int) -> Response:
    """Retrieve a referral"""
    with edge.read() as tx:
        row = pagination.one_or_404(
            referral_queries.referral(tx, referral_program_id=referral_program_id, referral_id=referral_id)
        )
    return web.answer(shapes.referral(row._asdict()))


@blueprint.route("", methods=["POST"])
@blueprint.operation("programs:write", body=ReferralFields, answers={201: Referral, 200: Referral})
def refer_friend(sent: Mapping[str, Any], referral_program_id: int) -> Response:
    """Refer a friend

    Before the friend is enrolled on the program's card. The same friend by the same code again is answered with the
    referral that there is and HTTP 200.
    """
    friend, code = customer_name(sent), sent["referral_code"]
    return edge.write(
        lambda tx, act: referrals.create(tx, referral_program_id=referral_program_id, code=code, friend=friend, act=act)
    )


@blueprint.route("/<id:referral_id>/complete", methods=["POST"])
@blueprint.operation("programs:write", body=CompletionFields, answers={200: CompletedMilestone})
def complete_milestone(sent: Mapping[str, Any], referral_program_id: int, referral_id: int) -> Response:
    """Complete a custom milestone

    The other milestones complete by themselves, with the enrollment or the purchase that meets them.
    """
    return edge.write(
        lambda tx, act: referral_completion.complete(
            tx,
            referral_program_id=referral_program_id,
            referral_id=referral_id,
            milestone_id=sent["milestone_id"],
            act=act,
        )
    )
