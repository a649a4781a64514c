"""Partner locations: their names and time zones."""

from __future__ import annotations

from sqlalchemy import Connection

from loyalty_common.messaging.message import MalformedMessage, Message
from loyalty_vouchers.models import directory


def learn(connection: Connection, message: Message) -> None:
    """Of internal.location_updated; a version that is not newer changes nothing."""
    if message.event != "internal.location_updated":
        return
    if message.version is None:
        raise MalformedMessage("a partner location's event without a version")
    directory.learn_location(
        connection, location=message.data, organization_id=message.data["organization_id"], version=message.version
    )
