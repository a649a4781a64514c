"""Events of every publishing service, from the broker or over HTTP: the same function takes them in."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Engine

from loyalty_common.messaging.message import Message
from loyalty_webhooks.domain.intake import take_in


def handler(engine: Engine) -> Callable[[list[Message]], None]:
    """What a transport calls with at most 200 messages; when it returns, they are committed."""

    def handle(messages: list[Message]) -> None:
        with engine.begin() as connection:
            take_in(connection, messages)

    return handle
