"""What other services' events do here: one module per publisher. Inbox row and effect share a transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection, Engine

from loyalty_common.messaging import inbox as received
from loyalty_common.messaging.message import Message
from loyalty_programs.consumers import customers, gateway
from loyalty_programs.models import inbox

_PUBLISHERS: Mapping[str, Callable[[Connection, Message], None]] = {
    "customers": customers.learn,
    "gateway": gateway.learn,
}


def handler(engine: Engine) -> Callable[[list[Message]], None]:
    """Handles a batch in one transaction; what was handled before, or is of a publisher of no interest, passes."""

    def handle(messages: list[Message]) -> None:
        with engine.begin() as connection:
            for message in received.accept(connection, inbox, messages):
                learn = _PUBLISHERS.get(message.publisher)
                if learn is not None:
                    learn(connection, message)

    return handle
