"""Partner locations: their names and time zones."""

from __future__ import annotations

from sqlalchemy import Connection

from loyalty_common.messaging.message import Message
from loyalty_programs.models import directory


def learn(connection: Connection, message: Message) -> None:
    """Of internal.location_updated; a version that is not newer changes nothing."""
    if message.event != "internal.location_updated" or message.version is None:
        return
    directory.learn_location(
        connection,
        location=message.data,
        organization_id=message.data["organization_id"],
        version=message.version,
    )
