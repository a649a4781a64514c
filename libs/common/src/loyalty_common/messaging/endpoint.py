"""``POST /internal/events``: a batch of messages over HTTP where no broker carries them, judged as a consumer would."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import structlog
from flask import Blueprint, Response, request

from loyalty_common import web
from loyalty_common.errors import MalformedJson, ValidationFailed
from loyalty_common.messaging.judgement import Handle, judge
from loyalty_common.messaging.message import MalformedMessage, Message

_MOST_MESSAGES = 200
_log = structlog.get_logger()


def events_blueprint(handle: Handle) -> Blueprint:
    """``{"messages": […]}`` → ``{"rejected": [{"id", "error"}]}``; all others were handled and committed."""
    blueprint = Blueprint("events", __name__)

    @blueprint.post("/internal/events")
    def receive_events() -> Response:
        try:
            body = orjson.loads(request.get_data())
        except orjson.JSONDecodeError:
            raise MalformedJson from None
        messages = body.get("messages") if isinstance(body, dict) else None
        if not isinstance(messages, list) or len(messages) > _MOST_MESSAGES:
            sentence = f"The messages field must be a list of at most {_MOST_MESSAGES}."
            raise ValidationFailed(details={"messages": [sentence]})
        return web.answer({"rejected": deliver_batch(handle, messages)})

    return blueprint


def deliver_batch(handle: Handle, messages: Sequence[Any]) -> list[dict[str, str | None]]:
    """``messages``: the list of that name in the body, parsed. Returns what was rejected, as the answer shows it.

    All others were handled and committed. An outage raises ``Unavailable``: then none is confirmed.
    """
    rejected: list[dict[str, str | None]] = []
    readable: list[Message] = []
    for document in messages:
        try:
            readable.append(Message.from_document(document))
        except MalformedMessage as error:
            message_id = document.get("id") if isinstance(document, dict) else None
            _log.error("message_unreadable", message_id=message_id, error=str(error))
            rejected.append({"id": message_id, "error": f"unreadable: {error}"})
    if readable:
        rejected += [{"id": str(found.message_id), "error": found.error} for found in judge(handle, readable)]
    return rejected
