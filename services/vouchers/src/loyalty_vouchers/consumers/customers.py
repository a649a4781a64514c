"""Customers' events keep the directory of customers."""

from __future__ import annotations

from sqlalchemy import Connection

from loyalty_common.database import Transaction
from loyalty_common.messaging.message import MalformedMessage, Message
from loyalty_vouchers.models import directory

_PROFILE = ("id", "name", "email", "phone", "external_id", "metadata", "created_at", "updated_at")


def receive(connection: Connection, message: Message) -> None:
    """``customer.created`` and ``customer.updated``; of an erased customer only a tombstone stays."""
    if message.version is None:
        raise MalformedMessage("a customer's event without a version")
    erased_at = message.data.get("erased_at")
    directory.learn_customer(
        Transaction(connection, message.tenant_id),
        customer=None if erased_at else {key: message.data[key] for key in _PROFILE},
        customer_id=message.data["id"],
        version=message.version,
        erased_at=erased_at,
    )
