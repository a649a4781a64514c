"""For the suite's own relays: events of other services, where no broker carries them."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Blueprint, Response, current_app, request

from loyalty_common import web
from loyalty_common.errors import MalformedJson
from loyalty_common.messaging.endpoint import deliver_batch

blueprint = Blueprint("internal", __name__, url_prefix="/internal")


@blueprint.post("/events")
def receive_events() -> Response:
    """``{"messages": […]}`` → those that were rejected; all others are handled and committed."""
    try:
        messages: Any = orjson.loads(request.get_data())["messages"]
    except (orjson.JSONDecodeError, TypeError, KeyError):
        raise MalformedJson from None
    return web.answer({"rejected": deliver_batch(current_app.extensions["handle_events"], messages)})
