"""List the rewards that full stamp cards unlocked, and hand them out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from flask import Response

from loyalty_common import fields, pagination
from loyalty_common.openapi import Blueprint
from loyalty_common.pagination import ListQuery
from loyalty_programs.api import edge
from loyalty_programs.domain import queries, shapes, stamp_queries, stamp_rewards
from loyalty_programs.domain.stamp_rewards import HandOut

blueprint = Blueprint(
    "Stamp rewards", __name__, url_prefix="/v1/stamp-cards/<id:stamp_card_id>/rewards", description=__doc__
)

_STATUSES = ("unlocked", "fulfilled", "revoked")


class StampRewardQuery(ListQuery):
    status = fields.Choice(*_STATUSES)
    customer_id = fields.Identifier()
    customer_email = fields.Email()


class HandOutFields(fields.Schema):
    may_be_absent = True

    order_reference = fields.Text(
        metadata={"description": "The same order again is told what it was told first; any other is refused."}
    )
    partner_location_id = fields.Identifier()
    notes = fields.Text(max_length=1000, multiline=True)


class StampReward(ma.Schema):
    id = ma.fields.Integer(required=True)
    stamp_card_id = ma.fields.Integer(required=True)
    customer_id = ma.fields.Integer(required=True)
    title = ma.fields.String(required=True)
    status = ma.fields.String(required=True, metadata={"enum": list(_STATUSES)})
    order_reference = ma.fields.String(required=True, allow_none=True)
    partner_location_id = ma.fields.Integer(required=True, allow_none=True)
    notes = ma.fields.String(required=True, allow_none=True)
    unlocked_at = ma.fields.DateTime(required=True)
    fulfilled_at = ma.fields.DateTime(required=True, allow_none=True)
    revoked_at = ma.fields.DateTime(required=True, allow_none=True)
    created_at = ma.fields.DateTime(required=True)


def check_exists(*, stamp_card_id: int, stamp_reward_id: int) -> None:
    """``NotFound`` for a reward that no stamp card of the caller's unlocked."""
    with edge.read() as tx:
        found = stamp_queries.stamp_reward(tx, stamp_card_id=stamp_card_id, stamp_reward_id=stamp_reward_id)
        pagination.one_or_404(found)


@blueprint.route("", methods=["GET"])
@blueprint.listing("programs:read", of=StampReward, query=StampRewardQuery)
def list_stamp_rewards(query: Mapping[str, Any], stamp_card_id: int) -> Response:
    """List the rewards that a stamp card unlocked"""
    with edge.read() as tx:
        pagination.one_or_404(queries.stamp_card(tx, stamp_card_id=stamp_card_id))
        return pagination.page_of(
            tx,
            stamp_queries.stamp_rewards_of(stamp_card_id=stamp_card_id, filters=query),
            by=stamp_queries.REWARDS_NEWEST,
            query=query,
            show=lambda row: shapes.stamp_reward(row._asdict()),
        )


@blueprint.route("/<id:stamp_reward_id>/fulfill", methods=["POST"])
@blueprint.operation("programs:write", body=HandOutFields, answers={200: StampReward}, role="staff")
def fulfill_stamp_reward(sent: Mapping[str, Any], stamp_card_id: int, stamp_reward_id: int) -> Response:
    """Hand out a reward

    Also when the stamp card is over or inactive by now.
    """
    hand_out = HandOut(**sent)
    return edge.write(
        lambda tx, act: stamp_rewards.fulfill(
            tx, stamp_card_id=stamp_card_id, stamp_reward_id=stamp_reward_id, hand_out=hand_out, act=act
        )
    )
