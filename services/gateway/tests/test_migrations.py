"""The schema as the migrations make it, and as the models say it is."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from loyalty_common import database, migrations
from loyalty_gateway.models import metadata


def test_the_models_equal_the_schema(engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_there_is_one_newest_migration(migrations_folder):
    assert len(migrations.heads(migrations_folder)) == 1


def test_migrating_twice_changes_nothing(postgres, migrations_folder):
    engine = database.create_engine(postgres.create_database("twice"), pool_size=2, application_name="migrate")
    for _ in range(2):
        migrations.upgrade(engine, script_location=migrations_folder)
    with engine.connect() as connection:
        assert connection.execute(text("select count(*) from plans")).scalar_one() == 4
    engine.dispose()


def test_the_plans_have_their_promised_limits(connection):
    rows = connection.execute(text("select code, developer_access, requests_per_minute, burst from plans"))
    assert {row.code: tuple(row[1:]) for row in rows if row.code in ("developer", "business", "demo")} == {
        "developer": (True, 600, 100),
        "business": (True, 3_000, 500),
        "demo": (True, 60_000, 5_000),
    }
    assert not connection.execute(text("select developer_access from plans where code = 'starter'")).scalar_one()
