"""Send again what an endpoint missed or lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from flask import Response

from loyalty_common import fields, pagination, web
from loyalty_common.openapi import Blueprint
from loyalty_webhooks.api import edge
from loyalty_webhooks.api.schemas import EventNames
from loyalty_webhooks.domain import replays, shapes
from loyalty_webhooks.events import EVERY_EVENT

blueprint = Blueprint("Webhook replays", __name__, url_prefix="/v1", description=__doc__)

_STATUSES = ("queued", "running", "succeeded", "failed", "cancelled")


def check_exists(*, replay_id: int) -> None:
    """``NotFound`` for a replay that is not the caller's."""
    with edge.read() as tx:
        pagination.one_or_404(replays.by_id(tx, replay_id=replay_id))


class ReplayFields(fields.Schema):
    since = fields.Timestamp(required=True, metadata={"description": "Events that happened then or later."})
    until = fields.Timestamp(metadata={"description": "And before this moment; now, if absent or later than now."})
    events = EventNames(load_default=lambda: [EVERY_EVENT])
    only = fields.Choice(  # type: ignore[assignment]  # a field, not marshmallow's own option of that name
        "failed",
        "all",
        required=True,
        metadata={
            "description": "failed: deliveries that were given up. all: every event that the endpoint subscribes to, "
            "delivered or not, also those of a time when it was paused or did not exist yet."
        },
    )

    @ma.validates_schema
    def check_order(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("until") is not None and data["until"] <= data["since"]:
            raise ma.ValidationError("The :field field must be later than since.", "until")


class ReplayJob(ma.Schema):
    id = ma.fields.Integer(required=True)
    type = ma.fields.String(required=True, metadata={"enum": ["replay"]})
    status = ma.fields.String(required=True, metadata={"enum": list(_STATUSES)})
    total = ma.fields.Integer(required=True, allow_none=True, metadata={"description": "Null until it was counted."})
    processed = ma.fields.Integer(required=True)
    succeeded = ma.fields.Integer(
        required=True, metadata={"description": "Queued again; their deliveries tell what became of them."}
    )
    failed = ma.fields.Integer(required=True)
    error = ma.fields.String(required=True, allow_none=True)
    created_at = ma.fields.DateTime(required=True)
    started_at = ma.fields.DateTime(required=True, allow_none=True)
    finished_at = ma.fields.DateTime(required=True, allow_none=True)


class WebhookReplay(ma.Schema):
    id = ma.fields.Integer(required=True)
    endpoint_id = ma.fields.Integer(required=True)
    since = ma.fields.DateTime(required=True)
    until = ma.fields.DateTime(required=True)
    events = ma.fields.List(ma.fields.String(), required=True)
    only = ma.fields.String(required=True, metadata={"enum": ["failed", "all"]})  # type: ignore[assignment]  # the same
    job = ma.fields.Nested(ReplayJob, required=True)
    created_at = ma.fields.DateTime(required=True)


@blueprint.route("/webhook-endpoints/<id:endpoint_id>/replay", methods=["POST"])
@blueprint.operation("webhooks:write", body=ReplayFields, answers={201: WebhookReplay})
def replay_events(sent: Mapping[str, Any], endpoint_id: int) -> Response:
    """Replay events

    A job queues them as fast as the endpoint takes them, behind what happens meanwhile; one at a time per endpoint.
    It waits while the endpoint is paused or disabled.
    """
    return edge.write(lambda tx, act: replays.create(tx, endpoint_id=endpoint_id, wanted=sent, act=act))


@blueprint.route("/webhook-replays/<id:replay_id>", methods=["GET"])
@blueprint.operation("webhooks:read", answers={200: WebhookReplay})
def retrieve_webhook_replay(replay_id: int) -> Response:
    """Retrieve a replay"""
    with edge.read() as tx:
        row = pagination.one_or_404(replays.by_id(tx, replay_id=replay_id))
    return web.answer(shapes.replay(row._mapping))


@blueprint.route("/webhook-replays/<id:replay_id>/cancel", methods=["POST"])
@blueprint.operation("webhooks:write", body=fields.Nothing, answers={200: WebhookReplay})
def cancel_webhook_replay(_: Mapping[str, Any], replay_id: int) -> Response:
    """Cancel a replay

    What is queued already is still sent.
    """
    return edge.write(lambda tx, act: replays.cancel(tx, replay_id=replay_id, act=act))
