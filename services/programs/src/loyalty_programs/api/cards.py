"""Create, list and change loyalty cards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from flask import Response

from loyalty_common import fields, pagination, web
from loyalty_common.openapi import Blueprint
from loyalty_common.pagination import ListQuery
from loyalty_programs.api import edge
from loyalty_programs.domain import loyalty_cards, queries, shapes
from loyalty_programs.domain.card_settings import CardSettings, earn_rule_faults

blueprint = Blueprint("Loyalty cards", __name__, url_prefix="/v1/loyalty-cards", description=__doc__)


class CardFields(fields.Schema):
    name = fields.Text(required=True)
    partner_location_id = fields.Identifier(required=True)
    card_identifier = fields.Text(max_length=64, pattern="[A-Za-z0-9_-]{1,64}")
    is_active = fields.Flag(load_default=True)
    earn_spend_amount = fields.Number()
    earn_points = fields.Integer(maximum=10_000)
    earn_currency = fields.CurrencyCode(metadata={"description": "The organization's if left out."})
    initial_bonus_points = fields.Integer(minimum=0, maximum=1_000_000, load_default=0)
    date_issued = fields.Date(metadata={"description": "Today if left out."})
    expiry_date = fields.Date()
    auto_enroll = fields.Flag(load_default=False)
    points_expire_after_months = fields.Integer(maximum=1200)
    refund_floor = fields.Choice("negative", "zero", load_default="negative")

    @ma.validates_schema
    def _has_a_whole_rule(self, sent: Mapping[str, Any], *, partial: bool | None, **_: Any) -> None:
        # A change is judged with what it leaves as it was, which only the domain knows.
        if not partial:
            settings = _with_currency(sent)
            faults = earn_rule_faults(
                settings["earn_spend_amount"], settings["earn_points"], currency=settings["earn_currency"]
            )
            if faults:
                raise ma.ValidationError(dict(faults))


class CardChanges(fields.Changes, CardFields):
    """Any of the settings; null means the default."""


def _with_currency(sent: Mapping[str, Any]) -> dict[str, Any]:
    """The organization's where ``sent`` has none."""
    currency = sent["earn_currency"] or web.current_call().organization.currency
    return {**sent, "earn_currency": currency}


class LoyaltyCard(ma.Schema):
    id = ma.fields.Integer(required=True)
    name = ma.fields.String(required=True)
    card_identifier = ma.fields.String(required=True)
    is_active = ma.fields.Boolean(required=True)
    earn_spend_amount = ma.fields.String(required=True, allow_none=True)
    earn_points = ma.fields.Integer(required=True, allow_none=True)
    earn_currency = ma.fields.String(required=True)
    initial_bonus_points = ma.fields.Integer(required=True)
    expiry_date = ma.fields.Date(required=True, allow_none=True)
    date_issued = ma.fields.Date(required=True)
    partner_location_id = ma.fields.Integer(required=True)
    auto_enroll = ma.fields.Boolean(required=True)
    points_expire_after_months = ma.fields.Integer(required=True, allow_none=True)
    refund_floor = ma.fields.String(required=True, metadata={"enum": ["negative", "zero"]})
    created_at = ma.fields.DateTime(required=True)
    updated_at = ma.fields.DateTime(required=True)


def check_exists(*, card_id: int, **_: int) -> None:
    """``NotFound`` for a card that is not the caller's."""
    with edge.read() as tx:
        pagination.one_or_404(queries.loyalty_card(tx, card_id=card_id))


@blueprint.route("", methods=["GET"])
@blueprint.listing("programs:read", of=LoyaltyCard, query=ListQuery)
def list_loyalty_cards(query: Mapping[str, Any]) -> Response:
    """List loyalty cards"""
    with edge.read() as tx:
        return pagination.page_of(
            tx,
            queries.all_loyalty_cards(),
            by=queries.CARDS_NEWEST,
            query=query,
            show=lambda row: shapes.loyalty_card(row._asdict()),
        )


@blueprint.route("/<id:card_id>", methods=["GET"])
@blueprint.operation("programs:read", answers={200: LoyaltyCard})
def retrieve_loyalty_card(card_id: int) -> Response:
    """Retrieve a loyalty card"""
    with edge.read() as tx:
        row = pagination.one_or_404(queries.loyalty_card(tx, card_id=card_id))
    return web.answer(shapes.loyalty_card(row._asdict()))


@blueprint.route("", methods=["POST"])
@blueprint.operation("programs:write", body=CardFields, answers={201: LoyaltyCard})
def create_loyalty_card(sent: Mapping[str, Any]) -> Response:
    """Create a loyalty card

    Omit card_identifier to auto-generate a wallet code. Requires a partner location ID from your account.
    """
    settings = CardSettings(**_with_currency(sent))
    return edge.write(lambda tx, act: loyalty_cards.create(tx, settings=settings, act=act))


@blueprint.route("/<id:card_id>", methods=["PATCH"])
@blueprint.operation("programs:write", body=CardChanges, answers={200: LoyaltyCard})
def change_loyalty_card(sent: Mapping[str, Any], card_id: int) -> Response:
    """Change a loyalty card

    What is left out stays as it is. The settings are judged together, as when a card is created.
    """
    changes = _with_currency(sent) if "earn_currency" in sent else sent
    return edge.write(lambda tx, act: loyalty_cards.update(tx, card_id=card_id, changes=changes, act=act))
