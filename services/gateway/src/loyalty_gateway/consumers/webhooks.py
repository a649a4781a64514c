"""What webhooks publishes."""

from __future__ import annotations

from sqlalchemy import Connection

from loyalty_common.messaging.message import Message
from loyalty_gateway.domain import mails

_DISABLED = "internal.endpoint_disabled"
_FACTS = ("endpoint_id", "host", "reason", "disabled_at")


def hear(connection: Connection, message: Message) -> None:
    if message.event == _DISABLED:
        facts = {name: message.data[name] for name in _FACTS}
        mails.to_owners(connection, message.tenant_id, "endpoint_disabled", facts)
