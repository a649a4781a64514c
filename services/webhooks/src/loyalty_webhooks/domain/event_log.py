"""The log itself, by number: whoever reads on from his last number can prove that he missed nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from loyalty_common.database import Transaction
from loyalty_webhooks.domain.errors import LogForgotten

# One statement, one snapshot: what it shows of the log's end and beginning fits the events that it shows. Numbers are
# committed in their order, so that none appears behind one that was shown before.
_READ = """
    select coalesce(log.last_sequence, 0) as last_sequence, coalesce(log.dropped_up_to, 0) as dropped_up_to,
           event.sequence, event.payload
      from (select 1) as start
      left join event_sequences log on log.tenant_id = :tenant_id
      left join lateral (
        select sequence, payload from webhook_events
         where tenant_id = :tenant_id and sequence > greatest(:after_sequence, log.dropped_up_to) {filter}
         order by sequence limit :most) event on true
     order by event.sequence
"""
_READ_ALL = text(_READ.format(filter=""))
_READ_EVENT = text(_READ.format(filter="and event = :event"))


@dataclass(frozen=True, slots=True)
class Page:
    """``payloads``: the envelopes in the bytes that are delivered. ``next_after``: null if nothing follows."""

    payloads: list[str]
    next_after: int | None
    last_sequence: int
    oldest_sequence: int


def read(tx: Transaction, *, after_sequence: int | None, event: str | None, limit: int) -> Page:
    """At most ``limit`` events behind a number, or from the oldest on; ``LogForgotten`` if some are not kept."""
    asked: dict[str, Any] = {"after_sequence": after_sequence or 0, "most": limit + 1}
    found = tx.execute(_READ_EVENT, asked | {"event": event}) if event else tx.execute(_READ_ALL, asked)
    rows = found.all()
    oldest = rows[0].dropped_up_to + 1
    if after_sequence is not None and after_sequence + 1 < oldest:
        raise LogForgotten(oldest_sequence=oldest)
    events = [row for row in rows if row.sequence is not None]
    return Page(
        payloads=[row.payload for row in events[:limit]],
        next_after=events[limit - 1].sequence if len(events) > limit else None,
        last_sequence=rows[0].last_sequence,
        oldest_sequence=oldest,
    )
