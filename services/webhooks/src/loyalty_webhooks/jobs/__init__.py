"""Scheduled work, in batches and short transactions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, text

from loyalty_common import idempotency
from loyalty_webhooks.jobs import partitions

# Longer than any broker or relay takes to deliver again what it did not see confirmed.
_INBOX_DAYS = 14
_BATCH = 5_000
_PRUNE_INBOX = text("""
    delete from inbox where message_id = any(array(
        select message_id from inbox where received_at < :before limit :batch for update skip locked))
""")


def all_jobs(engine: Engine) -> Mapping[str, Callable[[], object]]:
    return {
        "make_partitions": lambda: partitions.make_ahead(engine, today=datetime.now(UTC).date()),
        "drop_old_events": lambda: partitions.drop_old(engine, today=datetime.now(UTC).date()),
        "prune_inbox": lambda: prune_inbox(engine, before=datetime.now(UTC) - timedelta(days=_INBOX_DAYS)),
        "prune_idempotency": lambda: idempotency.prune(
            engine, before=datetime.now(UTC) - timedelta(days=idempotency.RETENTION_DAYS)
        ),
    }


def prune_inbox(engine: Engine, *, before: datetime) -> int:
    """Forget messages that cannot come a second time any more; how many went."""
    removed = 0
    while True:
        with engine.begin() as connection:
            count = connection.execute(_PRUNE_INBOX, {"before": before, "batch": _BATCH}).rowcount
        removed += count
        if count < _BATCH:
            return removed
