"""Where the relays of the other services bring their events when there is no broker."""

from __future__ import annotations

import orjson
from flask import Blueprint, Response, current_app, request

from loyalty_common import web
from loyalty_common.errors import MalformedJson, ValidationFailed
from loyalty_common.messaging.endpoint import deliver_batch

_MAX_MESSAGES = 200
blueprint = Blueprint("internal", __name__, url_prefix="/internal")


@blueprint.post("/events")
def receive_events() -> Response:
    """``{"messages": [...]}`` → ``{"rejected": [...]}``; all others are committed."""
    try:
        body = orjson.loads(request.get_data())
    except orjson.JSONDecodeError:
        raise MalformedJson from None
    messages = body.get("messages") if isinstance(body, dict) else None
    if not isinstance(messages, list) or len(messages) > _MAX_MESSAGES:
        raise ValidationFailed(details={"messages": [f"The messages field must be a list of at most {_MAX_MESSAGES}."]})
    return web.answer({"rejected": deliver_batch(current_app.extensions["take_in"], messages)})
