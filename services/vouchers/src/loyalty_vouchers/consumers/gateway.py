"""The gateway's events keep the directory of partner locations."""

from __future__ import annotations

from sqlalchemy import Connection

from loyalty_common.messaging.message import MalformedMessage, Message
from loyalty_vouchers.models import directory


def receive(connection: Connection, message: Message) -> None:
    """Takes in ``internal.location_updated``; what else the gateway says does not concern vouchers."""
    if message.event != "internal.location_updated":
        return
    if message.version is None:
        raise MalformedMessage("a partner location's event without a version")
    directory.learn_location(
        connection, location=message.data, organization_id=message.data["organization_id"], version=message.version
    )
