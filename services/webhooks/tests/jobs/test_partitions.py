"""The log is kept by day, and forgotten by day."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from loyalty_common import database, migrations
from loyalty_common.messaging.message import Message
from loyalty_testing.postgres import Postgres
from loyalty_webhooks.__main__ import MIGRATIONS
from loyalty_webhooks.consumers.events import handler
from loyalty_webhooks.domain.secret_box import SecretBox
from loyalty_webhooks.jobs import all_jobs, partitions

TODAY = date(2026, 5, 16)
NOON = datetime(2026, 5, 16, 12, tzinfo=UTC)


@pytest.fixture
def own(postgres: Postgres) -> Iterator[Engine]:
    """A database of this test's own: partitions are everybody's."""
    engine = database.create_engine(postgres.create_database("partitions"), pool_size=4, application_name="tests")
    migrations.upgrade(engine, script_location=MIGRATIONS)
    with engine.begin() as connection:
        connection.execute(
            text("""
                insert into webhook_endpoints (tenant_id, id, version, url, events, is_active, max_in_flight,
                    sealed_secret, signing_secret_hint, created_at, updated_at)
                values (1, 5, 1, 'https://hooks.example.com/', '{*}', true, 32, '1.x', 'whsec_…', now(), now())
            """)
        )
    yield engine
    engine.dispose()


def counted(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        count: int = connection.execute(text(f"select count(*) from {table}")).scalar_one()
        return count


def names(engine: Engine, parent: str = "webhook_events") -> list[str]:
    with engine.connect() as connection:
        return [name.removeprefix(f"{parent}_") for name in partitions._partitions(connection, parent)]


def test_partitions_are_made_from_yesterday_to_a_week_ahead(own: Engine) -> None:
    assert partitions.make_ahead(own, today=TODAY) == 27
    days = [f"202605{day}" for day in range(15, 24)]
    for parent in partitions.PARTITIONED:
        assert names(own, parent) == [*days, "default"]
    assert partitions.make_ahead(own, today=TODAY) == 0
    assert partitions.make_ahead(own, today=TODAY + timedelta(days=1)) == 3


def test_several_processes_may_make_them_at_once(own: Engine) -> None:
    made: list[int] = []
    threads = [threading.Thread(target=lambda: made.append(partitions.make_ahead(own, today=TODAY))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(made) == 27


def test_an_event_lies_in_the_partition_of_its_day(own: Engine, purchase: Callable[..., Message]) -> None:
    partitions.make_ahead(own, today=TODAY)
    midnight = datetime(2026, 5, 17, tzinfo=UTC)
    moments = [midnight - timedelta(microseconds=1), midnight]
    handler(own)([purchase(tenant_id=1, created_at=moment) for moment in moments])
    for table in ("webhook_events", "webhook_deliveries"):
        assert [counted(own, f"{table}_{day}") for day in ("20260516", "20260517")] == [1, 1]


def test_what_the_default_partition_caught_moves_over(own: Engine, purchase: Callable[..., Message]) -> None:
    handler(own)([purchase(tenant_id=1, created_at=NOON), purchase(tenant_id=1, created_at=NOON - timedelta(days=9))])
    assert counted(own, "webhook_events_default") == counted(own, "webhook_deliveries_default") == 2
    partitions.make_ahead(own, today=TODAY)
    for table in ("webhook_events", "webhook_deliveries"):
        assert counted(own, f"{table}_20260516") == 1
        assert counted(own, f"{table}_default") == 1


def test_events_are_forgotten_after_thirty_days_with_all_that_they_caused(
    own: Engine, purchase: Callable[..., Message]
) -> None:
    partitions.make_ahead(own, today=TODAY)
    kept, old, stray = (purchase(tenant_id=1, created_at=NOON + timedelta(days=days)) for days in (3, 1, -40))
    handler(own)([kept, old, stray])
    later = TODAY + timedelta(days=33)
    assert partitions.drop_old(own, today=later) == 12  # the 15th to the 18th, of three tables
    for table in ("webhook_events", "webhook_deliveries", "delivery_queue"):
        assert counted(own, table) == 1, table
    assert names(own) == [f"202605{day}" for day in range(19, 24)] + ["default"]
    assert partitions.drop_old(own, today=later) == 0


def test_every_job_runs(own: Engine) -> None:
    results: dict[str, Any] = {name: job() for name, job in all_jobs(own, SecretBox({1: bytes(32)})).items()}
    others = ("drop_old_events", "redact_erased", "reseal_secrets", "prune_inbox", "prune_idempotency")
    assert results == {"make_partitions": 27, **dict.fromkeys(others, 0)}
