"""The schema that migrations make is the one that the models describe."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, text

from loyalty_common import migrations
from loyalty_webhooks.__main__ import MIGRATIONS
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
