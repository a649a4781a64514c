"""What a receipt is beside the ledger. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

STATUSES = ("matched", "missing", "amount_differs", "reversed", "not_in_request")


@dataclass(frozen=True, slots=True)
class SentEntry:
    """A receipt as a till has it. ``occurred_at`` None: whenever it is posted; nobody named: it cannot be."""

    reference: str
    amount: Decimal
    currency: str
    customer_id: int | None = None
    customer_email: str | None = None
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecordedEntry:
    """The ledger row with the receipt's reference. ``amount`` None: points that were given without a purchase.

    ``reversed_amount``: what was given back of it, None if nothing ever was.
    """

    transaction_id: int
    customer_id: int
    amount: Decimal | None
    currency: str | None
    reversed_amount: Decimal | None


def compare(sent: SentEntry, recorded: RecordedEntry | None) -> str:
    """One of ``STATUSES`` but the last. A refund of a part leaves the purchase where it is."""
    if recorded is None:
        return "missing"
    if recorded.reversed_amount is not None and recorded.reversed_amount >= (recorded.amount or 0):
        return "reversed"
    if (recorded.amount, recorded.currency) != (sent.amount, sent.currency):
        return "amount_differs"
    return "matched"


def counts(statuses: Iterable[str]) -> dict[str, int]:
    counted = Counter(statuses)
    return {status: counted[status] for status in STATUSES}
