"""What other services' events do here: the directory of customers and locations hears of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Engine

from loyalty_common.messaging import inbox as received
from loyalty_common.messaging.message import Message
from loyalty_programs.models import directory, inbox


def handler(engine: Engine) -> Callable[[Sequence[Message]], None]:
    """What both transports call with a batch; it is committed when this returns."""
    effects = {"customers": directory.hear_of_customer, "gateway": directory.hear_of_location}
    return received.handler(engine, inbox, effects)
