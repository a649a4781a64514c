"""Customers: who they are, by which e-mail address, and that they were erased."""

from __future__ import annotations

from sqlalchemy import Connection

from loyalty_common.database import Transaction
from loyalty_common.messaging.message import MalformedMessage, Message
from loyalty_vouchers.models import directory

# What the events carry beside the customer object.
_BESIDE = frozenset(
    (
        "customer",
        "source",
        "changed",
        "enrollment",
        "transaction",
        "stamp_transactions",
        "voucher_redemption",
        "erased_at",
    )
)


def learn(connection: Connection, message: Message) -> None:
    """Of customer.created and customer.updated; a version that is not newer changes nothing."""
    if message.event not in ("customer.created", "customer.updated"):
        return
    if message.version is None:
        raise MalformedMessage("a customer's event without a version")
    erased_at = message.data.get("erased_at")
    profile = {key: value for key, value in message.data.items() if key not in _BESIDE}
    directory.learn_customer(
        Transaction(connection, message.tenant_id),
        customer=None if erased_at else profile,
        customer_id=message.data["id"],
        version=message.version,
        erased_at=erased_at,
    )
