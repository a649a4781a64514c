"""Read the log of events itself, gap-free, by number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import marshmallow as ma
import orjson
from flask import Response, current_app, request

from loyalty_common import fields, web
from loyalty_common.openapi import Blueprint, Meta
from loyalty_webhooks.api import edge
from loyalty_webhooks.domain import event_log
from loyalty_webhooks.events import EVENT_NAMES

blueprint = Blueprint("Events", __name__, url_prefix="/v1/events", description=__doc__)

MOST = 500


class EventQuery(fields.Schema):
    after_sequence = fields.Integer(
        minimum=0,
        metadata={
            "description": "Events behind this number. Left out: from the oldest that is kept.",
            "examples": [411],
        },
    )
    event = fields.Choice(*EVENT_NAMES)
    limit = fields.Integer(maximum=MOST, load_default=100)


class LoggedEvent(ma.Schema):
    id = ma.fields.UUID(required=True)
    event = ma.fields.String(required=True, metadata={"examples": ["loyalty.points_earned"]})
    created_at = ma.fields.DateTime(required=True)
    sequence = ma.fields.Integer(required=True, metadata={"examples": [412]})
    data = ma.fields.Dict(required=True)


class LogMeta(Meta):
    last_sequence = ma.fields.Integer(required=True, metadata={"description": "The log's last number so far."})
    oldest_sequence = ma.fields.Integer(
        required=True, metadata={"description": "From this number on the log is kept without a gap."}
    )


class LogLinks(ma.Schema):
    next = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "By after_sequence; null at the end of the log."}
    )


class EventLogAnswer(ma.Schema):
    data = ma.fields.List(ma.fields.Nested(LoggedEvent), required=True)
    meta = ma.fields.Nested(LogMeta, required=True)
    links = ma.fields.Nested(LogLinks, required=True)


# Not a listing: the one list that has neither pages nor cursors. flask-smorest's own decorators are untyped.
@blueprint.route("", methods=["GET"])
@blueprint.doc(**{"x-loyalty": {"scope": "webhooks:read", "timeout_s": 10}})  # type: ignore[untyped-decorator]
@blueprint.arguments(EventQuery(), location="query")  # type: ignore[untyped-decorator]
@blueprint.response(200, EventLogAnswer)  # type: ignore[untyped-decorator]
def list_events(query: Mapping[str, Any]) -> Response:
    """List events

    Envelopes as they are delivered, oldest first. The one list that pages by after_sequence: numbers have no gaps,
    unless you filter by event, and an event appears only after all that have smaller numbers. Ask again with the last
    number that you have seen, or with last_sequence where links.next is null. Events are kept for 30 days; asking for
    older ones is an error that names the oldest_sequence.
    """
    with edge.read() as tx:
        page = event_log.read(tx, after_sequence=query["after_sequence"], event=query["event"], limit=query["limit"])
    meta = {"last_sequence": page.last_sequence, "oldest_sequence": page.oldest_sequence}
    links = {"next": None if page.next_after is None else _following(page.next_after)}
    return web.answer([orjson.Fragment(payload) for payload in page.payloads], meta=meta, links=links)


def _following(sequence: int) -> str:
    """The public URL of the next page, with the caller's other parameters first."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if value and name != "after_sequence"]
    base = current_app.config["PUBLIC_BASE_URL"]
    return f"{base}/events?{urlencode([*kept, ('after_sequence', sequence)])}"
