"""What other services' events do here: owners are told of an endpoint that was disabled."""

from __future__ import annotations

from sqlalchemy import Engine

from loyalty_common.messaging import inbox as received
from loyalty_common.messaging.judgement import Handle
from loyalty_gateway.consumers import webhooks


def handler(engine: Engine) -> Handle:
    """What both transports call with a batch; it is committed when this returns."""
    return received.handler(engine, {"webhooks": webhooks.hear})
