"""How an endpoint has been doing: read from its attempts' index, one pass for the whole and its parts."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Any

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from loyalty_common.database import Transaction
from loyalty_common.envelope import timestamp
from loyalty_webhooks.domain.errors import TooMuchToCount
from loyalty_webhooks.domain.shapes.moments import moment

INTERVALS: Mapping[str, timedelta] = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
LONGEST: Mapping[str, timedelta] = {"hour": timedelta(days=7), "day": timedelta(days=31)}

# Of each of the three statements: the gateway waits for 10 s.
_PATIENCE = text("set local statement_timeout = '3s'")
_QUEUE = text("""
    select count(*) filter (where claim_id is null) as pending,
           count(*) filter (where claim_id is not null) as in_flight,
           (select min(created_at) from webhook_deliveries
             where tenant_id = :tenant_id and endpoint_id = :endpoint_id and status = 'pending') as oldest_pending_at
      from delivery_queue where tenant_id = :tenant_id and endpoint_id = :endpoint_id
""")
# Most have succeeded, and only what has not needs to be looked at in the table itself.
_DELIVERIES = text("""
    select count(*) as deliveries,
           (select jsonb_object_agg(status, count)
              from (select status, count(*) from webhook_deliveries
                     where tenant_id = :tenant_id and status in ('pending', 'exhausted', 'cancelled')
                       and status <> 'succeeded' and endpoint_id = :endpoint_id
                       and created_at >= :since and created_at < :until
                     group by status) other) as others
      from webhook_deliveries
     where tenant_id = :tenant_id and endpoint_id = :endpoint_id and created_at >= :since and created_at < :until
""")
# How often each latency came, which needs no sorting; from a second on to 10 ms, so that few are told apart.
_ATTEMPTS = text("""
    select date_trunc(:interval, started_at, 'UTC') as bucket,
           error_stage is null and coalesce(status_code between 200 and 299, false) as succeeded,
           case when duration_ms < 1000 then duration_ms else duration_ms / 10 * 10 end as latency_ms,
           count(*) as times
      from webhook_attempts
     where tenant_id = :tenant_id and endpoint_id = :endpoint_id and started_at >= :since and started_at < :until
     group by 1, 2, 3
""")


@dataclass(frozen=True, slots=True)
class Span:
    """From ``since`` on and before ``until``, in parts of an ``interval`` that begin with UTC's hours or days."""

    since: datetime
    until: datetime
    interval: str

    def buckets(self) -> Iterator[datetime]:
        start = self.since.replace(minute=0, second=0, microsecond=0)
        if self.interval == "day":
            start = start.replace(hour=0)
        while start < self.until:
            yield start
            start += INTERVALS[self.interval]


def of_endpoint(tx: Transaction, *, endpoint_id: int, span: Span) -> dict[str, Any]:
    """``TooMuchToCount`` if it takes longer than a caller waits."""
    asked = {"endpoint_id": endpoint_id, "since": span.since, "until": span.until}
    tx.execute(_PATIENCE)
    try:
        queue = tx.execute(_QUEUE, asked).one()
        deliveries = tx.execute(_DELIVERIES, asked).one()
        attempts = tx.execute(_ATTEMPTS, {**asked, "interval": span.interval}).all()
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.errors.QueryCanceled):
            raise TooMuchToCount from None
        raise
    buckets: dict[datetime, Tally] = {start: Tally() for start in span.buckets()}
    total = Tally()
    for row in attempts:
        for tally in (total, buckets[row.bucket]):
            tally.add(row.latency_ms, row.times, succeeded=row.succeeded)
    return {
        "endpoint_id": endpoint_id,
        "from": timestamp(span.since),
        "to": timestamp(span.until),
        "interval": span.interval,
        "pending": queue.pending,
        "in_flight": queue.in_flight,
        "oldest_pending_at": moment(queue.oldest_pending_at),
        "totals": _totals(deliveries.deliveries, deliveries.others or {}, total),
        "buckets": [
            {"starts_at": timestamp(start), **tally.shown(), "succeeded": tally.succeeded, **tally.latencies(50, 95)}
            for start, tally in buckets.items()
        ],
    }


def _totals(deliveries: int, others: Mapping[str, int], total: Tally) -> dict[str, Any]:
    """``others``: how many have not succeeded, by status."""
    succeeded = deliveries - sum(others.values())
    return {
        "deliveries": deliveries,
        "succeeded": succeeded,
        "exhausted": others.get("exhausted", 0),
        **total.shown(),
        "success_rate": success_rate(succeeded, of=deliveries),
        **total.latencies(50, 95, 99),
    }


class Tally:
    """Attempts of some time, by how long they took."""

    def __init__(self) -> None:
        self.attempts = self.succeeded = 0
        self._latencies: Counter[int] = Counter()

    def add(self, latency_ms: int, count: int, *, succeeded: bool) -> None:
        self.attempts += count
        self.succeeded += count if succeeded else 0
        self._latencies[latency_ms] += count

    def shown(self) -> dict[str, Any]:
        return {"attempts": self.attempts, "failed_attempts": self.attempts - self.succeeded}

    def latencies(self, *percents: int) -> dict[str, int | None]:
        """The least latency that so many percent of the attempts did not exceed; null where there were none."""
        reached = list(accumulate(self._latencies[latency] for latency in sorted(self._latencies)))
        latencies = sorted(self._latencies)
        return {
            f"latency_p{percent}_ms": latencies[bisect_left(reached, self.attempts * percent / 100)]
            if reached
            else None
            for percent in percents
        }


def success_rate(succeeded: int, *, of: int) -> str | None:
    """Four digits, ``"0.9917"``; null where there was nothing to deliver."""
    return f"{Decimal(succeeded) / of:.4f}" if of else None
