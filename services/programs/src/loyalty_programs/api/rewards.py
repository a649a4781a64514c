"""Say what points of a loyalty card can be spent on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from flask import Response

from loyalty_common import fields, pagination, web
from loyalty_common.openapi import Blueprint
from loyalty_common.pagination import ListQuery
from loyalty_programs.api import edge
from loyalty_programs.domain import queries, reward_queries, rewards, shapes
from loyalty_programs.domain.rewards import RewardSettings

blueprint = Blueprint("Rewards", __name__, url_prefix="/v1/loyalty-cards/<id:card_id>/rewards", description=__doc__)

_MOST = 1_000_000_000


class RewardFields(fields.Schema):
    title = fields.Text(required=True)
    description = fields.Text(max_length=1000, multiline=True)
    points_cost = fields.Integer(required=True, maximum=_MOST)
    quantity = fields.Integer(minimum=0, maximum=_MOST, metadata={"description": "Unlimited if left out."})
    max_claims_per_customer = fields.Integer(maximum=_MOST, metadata={"description": "Unlimited if left out."})
    valid_from = fields.Date()
    valid_until = fields.Date()
    is_active = fields.Flag(load_default=True)


class RewardChanges(fields.Changes, RewardFields):
    """Any of the settings; null means the default."""


class RewardQuery(ListQuery):
    is_active = fields.Choice("true", "false")


class Reward(ma.Schema):
    id = ma.fields.Integer(required=True)
    loyalty_card_id = ma.fields.Integer(required=True)
    title = ma.fields.String(required=True)
    description = ma.fields.String(required=True, allow_none=True)
    points_cost = ma.fields.Integer(required=True)
    quantity = ma.fields.Integer(required=True, allow_none=True)
    quantity_left = ma.fields.Integer(required=True, allow_none=True)
    max_claims_per_customer = ma.fields.Integer(required=True, allow_none=True)
    valid_from = ma.fields.Date(required=True, allow_none=True)
    valid_until = ma.fields.Date(required=True, allow_none=True)
    is_active = ma.fields.Boolean(required=True)
    created_at = ma.fields.DateTime(required=True)
    updated_at = ma.fields.DateTime(required=True)


def check_exists(*, card_id: int, loyalty_reward_id: int) -> None:
    """``NotFound`` for a reward that is not of this card of the caller's."""
    with edge.read() as tx:
        pagination.one_or_404(reward_queries.reward(tx, card_id=card_id, reward_id=loyalty_reward_id))


@blueprint.route("", methods=["GET"])
@blueprint.listing("programs:read", of=Reward, query=RewardQuery)
def list_rewards(query: Mapping[str, Any], card_id: int) -> Response:
    """List the rewards of a card"""
    with edge.read() as tx:
        pagination.one_or_404(queries.loyalty_card(tx, card_id=card_id))
        return pagination.page_of(
            tx,
            reward_queries.rewards_of(card_id=card_id, filters=query),
            by=reward_queries.REWARDS_NEWEST,
            query=query,
            show=lambda row: shapes.loyalty_reward(row._asdict()),
        )


@blueprint.route("/<id:loyalty_reward_id>", methods=["GET"])
@blueprint.operation("programs:read", answers={200: Reward})
def retrieve_reward(card_id: int, loyalty_reward_id: int) -> Response:
    """Retrieve a reward"""
    with edge.read() as tx:
        row = pagination.one_or_404(reward_queries.reward(tx, card_id=card_id, reward_id=loyalty_reward_id))
    return web.answer(shapes.loyalty_reward(row._asdict()))


@blueprint.route("", methods=["POST"])
@blueprint.operation("programs:write", body=RewardFields, answers={201: Reward})
def create_reward(sent: Mapping[str, Any], card_id: int) -> Response:
    """Create a reward"""
    settings = RewardSettings(**sent)
    return edge.write(lambda tx, act: rewards.create(tx, card_id=card_id, settings=settings, act=act))


@blueprint.route("/<id:loyalty_reward_id>", methods=["PATCH"])
@blueprint.operation("programs:write", body=RewardChanges, answers={200: Reward})
def change_reward(sent: Mapping[str, Any], card_id: int, loyalty_reward_id: int) -> Response:
    """Change a reward

    What is left out stays as it is. Claims keep the title and the cost that they were made at.
    """
    return edge.write(
        lambda tx, act: rewards.update(tx, card_id=card_id, reward_id=loyalty_reward_id, changes=sent, act=act)
    )
