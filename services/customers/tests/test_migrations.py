from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine

from loyalty_common import migrations
from loyalty_customers.__main__ import MIGRATIONS
from loyalty_customers.models import Base


def test_the_migrations_make_the_tables_of_the_models(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    migrations.upgrade(engine, script_location=MIGRATIONS)


def test_no_two_migrations_were_made_side_by_side() -> None:
    assert len(migrations.heads(MIGRATIONS)) == 1
