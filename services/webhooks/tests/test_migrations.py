"""The schema that migrations make is the one that the models describe."""

from __future__ import annotations

from datetime import date

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, text

from loyalty_common import database, migrations
from loyalty_testing.postgres import Postgres
from loyalty_webhooks.__main__ import MIGRATIONS
from loyalty_webhooks.jobs import partitions
from loyalty_webhooks.models import Base


def test_there_is_one_newest_revision() -> None:
    assert len(migrations.heads(MIGRATIONS)) == 1


def test_the_models_equal_the_schema(engine: Engine) -> None:
    with engine.connect() as connection:
        partitions = set(connection.execute(text("select inhrelid::regclass::text from pg_inherits")).scalars())

        def include(_: object, name: str | None, kind: str, *__: object) -> bool:
            return kind != "table" or name not in partitions | {"alembic_version"}

        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True, "include_object": include}
        )
        assert compare_metadata(context, Base.metadata) == []


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    migrations.upgrade(engine, script_location=MIGRATIONS)


def test_the_log_is_partitioned_by_day_from_the_first_migration_on(engine: Engine) -> None:
    with engine.connect() as connection:
        count = connection.execute(
            text("select count(*) from pg_inherits where inhparent = 'webhook_events'::regclass")
        ).scalar_one()
    assert count == 10  # yesterday, today, a week ahead, and the net


def test_days_that_are_there_already_get_the_indexes_of_later_releases(postgres: Postgres) -> None:
    engine = database.create_engine(postgres.create_database("upgraded"), pool_size=2, application_name="tests")
    migrations.upgrade(engine, script_location=MIGRATIONS, to="0004")
    partitions.make_ahead(engine, today=date(2026, 5, 16))
    with engine.begin() as connection:
        # As an attempt leaves it that was killed: the parent's index is not whole, and a day's is nobody's.
        connection.execute(
            text("create index ix_webhook_events_event on only webhook_events (tenant_id, event, sequence)")
        )
        connection.execute(text("create index webhook_events_20260516_event on webhook_events_20260516 (tenant_id)"))
    migrations.upgrade(engine, script_location=MIGRATIONS)
    with engine.connect() as connection:
        valid, attached = connection.execute(
            text("""
                select indisvalid, (select count(*) from pg_inherits where inhparent = indexrelid)
                  from pg_index where indexrelid = 'ix_webhook_events_event'::regclass
            """)
        ).one()
    engine.dispose()
    assert (valid, attached) == (True, 10)


def test_a_log_that_lost_days_before_it_was_written_down_is_whole_from_its_last_gap_on(postgres: Postgres) -> None:
    engine = database.create_engine(postgres.create_database("forgetful"), pool_size=2, application_name="tests")
    migrations.upgrade(engine, script_location=MIGRATIONS, to="0003")
    with engine.begin() as connection:
        for tenant_id, kept in ((1, (1, 2, 3)), (2, (4, 6, 7)), (3, ())):
            connection.execute(
                text("insert into event_sequences (tenant_id, last_sequence) values (:tenant_id, 7)"),
                {"tenant_id": tenant_id},
            )
            for sequence in kept:
                connection.execute(
                    text("""
                        insert into webhook_events (tenant_id, id, created_at, sequence, event, payload)
                        values (:tenant_id, gen_random_uuid(), now(), :sequence, 'stamp.issued', '{}')
                    """),
                    {"tenant_id": tenant_id, "sequence": sequence},
                )
    migrations.upgrade(engine, script_location=MIGRATIONS)
    with engine.connect() as connection:
        found = connection.execute(text("select tenant_id, dropped_up_to from event_sequences order by 1")).all()
    engine.dispose()
    assert [tuple(row) for row in found] == [(1, 0), (2, 5), (3, 7)]
