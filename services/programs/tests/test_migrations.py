from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, Engine, inspect, text

from loyalty_common import migrations
from loyalty_programs.__main__ import MIGRATIONS
from loyalty_programs.models import Base


def test_the_migrations_make_the_tables_of_the_models(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_checks_and_sequences_are_those_of_the_models(engine: Engine) -> None:
    inspector = inspect(engine)
    for table in Base.metadata.sorted_tables:
        stored = {check["name"] for check in inspector.get_check_constraints(table.name)}
        assert stored == {str(check.name) for check in table.constraints if isinstance(check, CheckConstraint)}, (
            table.name
        )
    assert set(inspector.get_sequence_names()) == set(Base.metadata._sequences)
    with engine.connect() as connection:
        caches = connection.execute(text("select distinct cache_size from pg_sequences")).scalars().all()
    assert caches == [1], "a session that kept ids in hand would number its rows before those of others"


def test_every_index_begins_with_the_tenant_or_is_not_about_one() -> None:
    shared = {"location_directory", "inbox", "outbox"}
    for table in Base.metadata.sorted_tables:
        for index in table.indexes if table.name not in shared else ():
            first = next(iter(index.expressions))
            assert getattr(first, "name", "") == "tenant_id" or index.name == "ix_idempotency_created_at", index.name


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    migrations.upgrade(engine, script_location=MIGRATIONS)


def test_no_two_migrations_were_made_side_by_side() -> None:
    assert len(migrations.heads(MIGRATIONS)) == 1
