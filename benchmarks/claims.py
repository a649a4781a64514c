"""How long a sender takes to find, lock and lease a batch, with much and with little waiting behind it."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, text

from benchmarks.pace import Line, Pace
from loyalty_common import migrations
from loyalty_common.database import create_engine
from loyalty_testing.postgres import Postgres
from loyalty_webhooks.__main__ import MIGRATIONS
from loyalty_webhooks.domain.claiming import claim
from loyalty_webhooks.domain.lanes import NO_LANE, with_due_work
from loyalty_webhooks.domain.limits import Pool
from loyalty_webhooks.domain.plans import prefer_indexes
from loyalty_webhooks.jobs import partitions

FEW, MANY = 1_000, 1_000_000
_ORGANIZATIONS, _ENDPOINTS = 10, 100
_REACH = 3.0
_THREADS = 64

_EMPTY = "truncate delivery_queue, webhook_endpoints, lanes"
_ENDPOINTS_MADE = """
    insert into webhook_endpoints (tenant_id, id, version, url, events, is_active, max_in_flight, sealed_secret,
                                   signing_secret_hint, created_at, updated_at)
    select 1 + number % :organizations, number, 1, 'https://h' || number || '.example/hook', '{*}', true, 32, 'sealed',
           '…', now(), now()
      from generate_series(1, :endpoints) number
"""
_LANES_MADE = """
    insert into lanes (tenant_id, endpoint_id, is_proven, in_flight_limit)
    select tenant_id, id, true, 32 from webhook_endpoints
"""
_EVENTS_MADE = """
    insert into webhook_events (tenant_id, id, created_at, sequence, event, payload)
    select tenant_id, gen_random_uuid(), now(), -1, 'loyalty.points_earned', '{}'
      from generate_series(1, :organizations) tenant_id
    on conflict do nothing
"""
_OWE = """
    insert into delivery_queue (tenant_id, delivery_id, endpoint_id, event_id, event_created_at, attempt_count,
                                next_attempt_at)
    select endpoint.tenant_id, nextval('webhook_delivery_ids'), endpoint.id, event.id, event.created_at, 0, now()
      from generate_series(1, :count) number
      join webhook_endpoints endpoint on endpoint.id = 1 + number % :endpoints
      join (select distinct on (tenant_id) * from webhook_events where sequence = -1) event
        on event.tenant_id = endpoint.tenant_id
"""
_DELIVERED = "delete from delivery_queue where claim_id is not null"
_SIZES = {"organizations": _ORGANIZATIONS, "endpoints": _ENDPOINTS}


def behind_a_backlog(pace: Pace) -> list[Line]:
    """Claims of 64 for 100 endpoints of ten organizations, as much delivered and owed anew after each."""
    with _database() as engine:
        few, many = _Waiting(engine, FEW).claims(pace), _Waiting(engine, MANY).claims(pace)
    return [
        Line(
            f"claim of 64, {MANY:,} pending, p{percent}",
            f"{_percentile(many, percent):.1f} ms",
            f"{FEW:,} pending: {_percentile(few, percent):.1f} ms",
            f"{_percentile(many, percent) / _percentile(few, percent):.3g}",
            reach,
        )
        for percent, reach in ((50, "–"), (99, f"≤ {_REACH:g}"))
    ]


@contextmanager
def _database() -> Iterator[Engine]:
    """That of webhooks, without anybody else."""
    server = Postgres.open()
    try:
        engine = create_engine(server.create_database("claims"), pool_size=2, application_name="claims")
        prefer_indexes(engine)
        migrations.upgrade(engine, script_location=MIGRATIONS)
        partitions.make_ahead(engine, today=datetime.now(UTC).date())
        yield engine
        engine.dispose()
    finally:
        server.close()


@dataclass(frozen=True)
class _Waiting:
    engine: Engine
    count: int

    def claims(self, pace: Pace) -> list[float]:
        """How many milliseconds each took, from the look for work to the commit."""
        with self.engine.begin() as connection:
            for statement in (_EMPTY, _ENDPOINTS_MADE, _LANES_MADE, _EVENTS_MADE, _OWE):
                connection.execute(text(statement), {**_SIZES, "count": self.count})
        took = []
        ends_at = time.monotonic() + pace.seconds * pace.rounds
        with self.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as polling:
            while time.monotonic() < ends_at:
                took.append(self._claim(polling))
        return took[len(took) // 10 :]  # the first ones warm up

    def _claim(self, polling: Connection) -> float:
        started_at = time.perf_counter()
        candidates = with_due_work(polling, after=NO_LANE)
        with self.engine.begin() as connection:
            claimed = claim(connection, candidates, Pool(_THREADS, Counter()))
        took_ms = (time.perf_counter() - started_at) * 1_000
        with self.engine.begin() as connection:
            connection.execute(text(_DELIVERED))
            connection.execute(text(_OWE), {**_SIZES, "count": len(claimed.deliveries)})
        return took_ms


def _percentile(took_ms: list[float], percent: int) -> float:
    return statistics.quantiles(took_ms, n=100)[percent - 1]
