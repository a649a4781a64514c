"""Lay down what is paid for bringing a friend, and hand out codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from flask import Response

from loyalty_common import fields, pagination, web
from loyalty_common.openapi import Blueprint
from loyalty_common.pagination import ListQuery
from loyalty_programs.api import edge
from loyalty_programs.api.receipts import CustomerFields, customer_name
from loyalty_programs.domain import referral_codes, referral_programs, referral_queries, shapes
from loyalty_programs.domain.milestones import TAKES
from loyalty_programs.domain.referral_programs import ReferralProgramSettings
from loyalty_programs.domain.referring import TYPES

blueprint = Blueprint("Referral programs", __name__, url_prefix="/v1/referral-programs", description=__doc__)

_MOST_POINTS = 1_000_000
_MOST_MILESTONES = 20


class MilestoneFields(fields.Schema):
    id = fields.Identifier(metadata={"description": "On a change: the milestone that is meant. New without it."})
    type = fields.Choice(*TYPES, required=True)
    minimum_amount = fields.Number(metadata={"description": "first_purchase only; any amount if left out."})
    count = fields.Integer(maximum=10_000, metadata={"description": "purchase_count only, and required there."})
    amount = fields.Number(metadata={"description": "amount_spent only, and required there."})
    referrer_points = fields.Integer(
        minimum=0, maximum=_MOST_POINTS, metadata={"description": "Instead of the program's."}
    )
    referred_points = fields.Integer(
        minimum=0, maximum=_MOST_POINTS, metadata={"description": "Instead of the program's."}
    )

    @ma.validates_schema
    def _has_the_field_of_its_type(self, sent: Mapping[str, Any], **_: Any) -> None:
        for kind, field in TAKES.items():
            if sent["type"] != kind and sent[field] is not None:
                raise ma.ValidationError({field: [f"The :field field is for milestones of type {kind} only."]})
            if sent["type"] == kind and sent[field] is None and field != "minimum_amount":
                raise ma.ValidationError({field: [f"The :field field is required for a milestone of type {kind}."]})


class _Milestone(ma.fields.Nested):
    """Always whole: a change names some fields of the program, not some of a milestone."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        return super()._deserialize(value, *args, **{**kwargs, "partial": False})


class ReferralProgramFields(fields.Schema):
    name = fields.Text(required=True)
    loyalty_card_id = fields.Identifier(required=True)
    referrer_points = fields.Integer(minimum=0, maximum=_MOST_POINTS, load_default=0)
    referred_points = fields.Integer(minimum=0, maximum=_MOST_POINTS, load_default=0)
    valid_from = fields.Date()
    valid_until = fields.Date()
    is_active = fields.Flag(load_default=True)
    milestones = ma.fields.List(
        _Milestone(MilestoneFields, error_messages={"type": "A milestone must be an object."}),
        required=True,
        validate=ma.validate.Length(1, _MOST_MILESTONES, error="The :field field must have {min} to {max} entries."),
        error_messages={
            "required": "The :field field is required.",
            "null": "The :field field is required.",
            "invalid": "The :field field must be a list.",
        },
    )


class ReferralProgramChanges(fields.Changes, ReferralProgramFields):
    """Any of the settings but the card; null means the default."""

    class Meta(fields.Changes.Meta):
        exclude = ("loyalty_card_id",)


class Milestone(ma.Schema):
    id = ma.fields.Integer(required=True)
    type = ma.fields.String(required=True, metadata={"enum": list(TYPES)})
    minimum_amount = ma.fields.String(required=True, allow_none=True)
    count = ma.fields.Integer(required=True, allow_none=True)
    amount = ma.fields.String(required=True, allow_none=True)
    referrer_points = ma.fields.Integer(required=True, allow_none=True)
    referred_points = ma.fields.Integer(required=True, allow_none=True)


class ReferralProgram(ma.Schema):
    id = ma.fields.Integer(required=True)
    name = ma.fields.String(required=True)
    loyalty_card_id = ma.fields.Integer(required=True)
    referrer_points = ma.fields.Integer(required=True)
    referred_points = ma.fields.Integer(required=True)
    valid_from = ma.fields.Date(required=True, allow_none=True)
    valid_until = ma.fields.Date(required=True, allow_none=True)
    is_active = ma.fields.Boolean(required=True)
    milestones = ma.fields.List(ma.fields.Nested(Milestone), required=True)
    created_at = ma.fields.DateTime(required=True)
    updated_at = ma.fields.DateTime(required=True)


class ReferralCode(ma.Schema):
    id = ma.fields.Integer(required=True)
    referral_program_id = ma.fields.Integer(required=True)
    customer_id = ma.fields.Integer(required=True)
    referral_code = ma.fields.String(required=True)
    created_at = ma.fields.DateTime(required=True)


def check_exists(*, referral_program_id: int, **_: int) -> None:
    """``NotFound`` for a program that is not the caller's."""
    with edge.read() as tx:
        pagination.one_or_404(referral_queries.referral_program(tx, referral_program_id=referral_program_id))


@blueprint.route("", methods=["GET"])
@blueprint.listing("programs:read", of=ReferralProgram, query=ListQuery)
def list_referral_programs(query: Mapping[str, Any]) -> Response:
    """List referral programs"""
    with edge.read() as tx:
        return pagination.page_of(
            tx,
            referral_queries.all_referral_programs(),
            by=referral_queries.PROGRAMS_NEWEST,
            query=query,
            show=lambda row: shapes.referral_program(row._asdict()),
        )


@blueprint.route("/<id:referral_program_id>", methods=["GET"])
@blueprint.operation("programs:read", answers={200: ReferralProgram})
def retrieve_referral_program(referral_program_id: int) -> Response:
    """Retrieve a referral program"""
    with edge.read() as tx:
        row = pagination.one_or_404(referral_queries.referral_program(tx, referral_program_id=referral_program_id))
    return web.answer(shapes.referral_program(row._asdict()))


@blueprint.route("", methods=["POST"])
@blueprint.operation("programs:write", body=ReferralProgramFields, answers={201: ReferralProgram})
def create_referral_program(sent: Mapping[str, Any]) -> Response:
    """Create a referral program

    Each milestone is paid once per referral, with its own points or else the program's. Amounts are in the card's
    currency.
    """
    card_id = sent["loyalty_card_id"]
    settings = ReferralProgramSettings(**{name: value for name, value in sent.items() if name != "loyalty_card_id"})
    return edge.write(lambda tx, act: referral_programs.create(tx, card_id=card_id, settings=settings, act=act))


@blueprint.route("/<id:referral_program_id>", methods=["PATCH"])
@blueprint.operation("programs:write", body=ReferralProgramChanges, answers={200: ReferralProgram})
def change_referral_program(sent: Mapping[str, Any], referral_program_id: int) -> Response:
    """Change a referral program

    What is left out stays as it is; milestones are replaced as a list, those sent with their id are kept. Referrals
    made before keep the milestones and points that they were promised.
    """
    return edge.write(
        lambda tx, act: referral_programs.update(tx, referral_program_id=referral_program_id, changes=sent, act=act)
    )


@blueprint.route("/<id:referral_program_id>/codes", methods=["POST"])
@blueprint.operation("programs:write", body=CustomerFields, answers={201: ReferralCode, 200: ReferralCode})
def get_referral_code(sent: Mapping[str, Any], referral_program_id: int) -> Response:
    """Get or create a member's referral code

    The member must be enrolled on the program's card. Who has a code already is answered with it and HTTP 200.
    """
    customer = customer_name(sent)
    return edge.write(
        lambda tx, act: referral_codes.get_or_create(
            tx, referral_program_id=referral_program_id, customer=customer, act=act
        )
    )
