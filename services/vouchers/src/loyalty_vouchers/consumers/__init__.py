"""What other services' events do here: one module per publisher. Inbox row and effect share a transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Engine

from loyalty_common.messaging.inbox import accept
from loyalty_common.messaging.message import Message
from loyalty_vouchers.consumers import customers, gateway
from loyalty_vouchers.models import inbox

_PUBLISHERS = {"customers": customers.learn, "gateway": gateway.learn}


def handler(engine: Engine) -> Callable[[Sequence[Message]], None]:
    """Handles a batch in one transaction; what was handled before, or is of a publisher of no interest, passes."""

    def handle(messages: Sequence[Message]) -> None:
        with engine.begin() as connection:
            # In one order for all consumers: two that learn of the same customers would deadlock.
            for message in sorted(accept(connection, inbox, messages), key=_subject):
                if message.publisher in _PUBLISHERS:
                    _PUBLISHERS[message.publisher](connection, message)

    return handle


def _subject(message: Message) -> tuple[Any, ...]:
    return message.publisher, message.tenant_id, str(message.data.get("id"))
