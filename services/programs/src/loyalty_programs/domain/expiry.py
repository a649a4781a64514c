"""Points expire with the day that was their last where their card is at home."""

from __future__ import annotations

from datetime import datetime

from loyalty_common.database import Transaction
from loyalty_programs.domain import bookkeeping, expiry_facts
from loyalty_programs.domain.expiry_facts import Days
from loyalty_programs.domain.ledger import write_off

_BATCH = 200


def expire(tx: Transaction, *, days: Days, at: datetime, batch: int = _BATCH) -> int:
    """Write off ``batch`` lots of the tenant that are due, and what else their members have; for how many members.

    One ``expire`` row for each.

    Without an idempotency row: what is written off is not due any more, so running again after a lost answer
    does nothing. 0 means that nobody is left but those who are busy.
    """
    holders = expiry_facts.lock_and_load(tx, days=days, batch=batch, at=at)
    entries = [write_off(holder.lots, points_balance=holder.enrollment["points_balance"]) for holder in holders]
    if holders:
        ids = [holder.transaction_id for holder in holders]
        bookkeeping.book_each(tx, list(zip(holders, entries, ids, strict=True)), source="system", at=at)
    return len(holders)
