"""For the suite's own relays: events of other services, where no broker carries them."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, request

from loyalty_common import strict_json, web
from loyalty_common.errors import ValidationFailed
from loyalty_common.messaging.endpoint import deliver_batch

blueprint = Blueprint("internal", __name__, url_prefix="/internal")


@blueprint.post("/events")
def receive_events() -> Response:
    """``{"messages": […]}`` → those that were rejected; all others are handled and committed."""
    body = strict_json.loads(request.get_data())
    messages = body.get("messages") if isinstance(body, dict) else None
    if not isinstance(messages, list):
        raise ValidationFailed(details={"messages": ["The messages field must be a list."]})
    return web.answer({"rejected": deliver_batch(current_app.extensions["handle_events"], messages)})
