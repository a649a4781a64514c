"""Where relays hand over what other services publish, when no broker stands between."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, request

from loyalty_common import strict_json, web
from loyalty_common.errors import ValidationFailed
from loyalty_common.messaging.endpoint import deliver_batch

blueprint = Blueprint("events", __name__, url_prefix="/internal")


@blueprint.post("/events")
def receive_events() -> Response:
    """``{"messages": […]}`` → ``{"rejected": […]}``: all others have taken effect."""
    body = strict_json.loads(request.get_data())
    messages = body.get("messages") if isinstance(body, dict) else None
    if not isinstance(messages, list):
        raise ValidationFailed(details={"messages": ["The messages field must be a list."]})
    return web.answer({"rejected": deliver_batch(current_app.extensions["handle_messages"], messages)})
