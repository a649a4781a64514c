"""Events of every publishing service, from the broker or over HTTP: the same function takes them in."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from sqlalchemy import Engine

from loyalty_common.messaging.message import Message
from loyalty_webhooks.domain.intake import take_in
from loyalty_webhooks.domain.redacting import is_erasure, redact

_log = structlog.get_logger()


def handler(engine: Engine) -> Callable[[list[Message]], None]:
    """What a transport calls with at most 200 messages; when it returns, they are committed.

    Then whom they say was erased has been taken out of the log, too, or is by the job.
    """

    def handle(messages: list[Message]) -> None:
        with engine.begin() as connection:
            take_in(connection, messages)
        if any(is_erasure(message) for message in messages):
            try:
                redact(engine)
            except Exception:
                # The messages are committed and must not be judged by this; the job comes back to it.
                _log.exception("erasure_postponed")

    return handle
