"""Create, list and change stamp cards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from flask import Response

from loyalty_common import fields, pagination, web
from loyalty_common.openapi import Blueprint
from loyalty_common.pagination import ListQuery
from loyalty_programs.api import edge
from loyalty_programs.domain import queries, shapes, stamp_cards
from loyalty_programs.domain.stamp_cards import StampCardSettings

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


class StampCardChanges(fields.Changes, StampCardFields):
    """Any of the settings; null means the default."""


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


def check_exists(*, stamp_card_id: int, **_: int) -> None:
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


@blueprint.route("/<id:stamp_card_id>", methods=["PATCH"])
@blueprint.operation("programs:write", body=StampCardChanges, answers={200: StampCard})
def change_stamp_card(sent: Mapping[str, Any], stamp_card_id: int) -> Response:
    """Change a stamp card

    What is left out stays as it is; the settings are judged together, as when a card is created. Stamps and rewards
    that customers have stay theirs.
    """
    return edge.write(lambda tx, act: stamp_cards.update(tx, stamp_card_id=stamp_card_id, changes=sent, act=act))
