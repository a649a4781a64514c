"""What other services' events do here: the directory hears of customers and locations, and the erased are forgotten."""

from __future__ import annotations

from sqlalchemy import Engine

from loyalty_common.messaging import inbox as received
from loyalty_common.messaging.judgement import Handle
from loyalty_programs.models import directory, erasure


def handler(engine: Engine) -> Handle:
    """What both transports call with a batch; it is committed when this returns."""
    effects = {"customers": directory.hear_of_customer, "gateway": directory.hear_of_location}
    return erasure.following(engine, received.handler(engine, effects))
