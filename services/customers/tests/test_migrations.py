import secrets
from typing import Any
from urllib.parse import urlsplit

import psycopg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text

from loyalty_common import database, migrations
from loyalty_customers.__main__ import MIGRATIONS
from loyalty_customers.models import Base
from loyalty_testing.postgres import Postgres


def _is_in_the_models(_: Any, name: str | None, *__: Any) -> bool:
    # Not on every PostgreSQL: migration 0005.
    return name != "ix_customers_search"


def test_the_migrations_make_the_tables_of_the_models(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_server_default": True, "include_object": _is_in_the_models}
        )
        assert compare_metadata(context, Base.metadata) == []


def test_where_no_extension_may_be_created_there_is_no_index_and_everything_else(postgres: Postgres) -> None:
    url = urlsplit(postgres.create_database("customers"))
    role = f"guest_{secrets.token_hex(4)}"
    with psycopg.connect(url.geturl(), autocommit=True) as connection:
        connection.execute(f"create role {role} login password 'guest'")
        connection.execute(f"grant create on schema public to {role}")
    guest = url._replace(netloc=f"{role}:guest@{url.netloc.rpartition('@')[2]}").geturl()
    engine = database.create_engine(guest, pool_size=2, application_name="tests")
    migrations.upgrade(engine, script_location=MIGRATIONS)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
        assert connection.execute(text("select to_regclass('ix_customers_search')")).scalar() is None
    engine.dispose()


def test_an_index_that_was_left_half_made_is_made_anew(postgres: Postgres) -> None:
    engine = database.create_engine(postgres.create_database("customers"), pool_size=2, application_name="tests")
    migrations.upgrade(engine, script_location=MIGRATIONS, to="0006")
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '0003'"))
        connection.execute(text("update pg_index set indisvalid = false where indexrelid::regclass::text ~ '^ix_cust'"))
    migrations.upgrade(engine, script_location=MIGRATIONS)
    with engine.connect() as connection:
        invalid = text("select indexrelid::regclass::text from pg_index where not indisvalid")
        assert connection.execute(invalid).scalars().all() == ["ix_customers_newest"]
    engine.dispose()


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    migrations.upgrade(engine, script_location=MIGRATIONS)


def test_no_two_migrations_were_made_side_by_side() -> None:
    assert len(migrations.heads(MIGRATIONS)) == 1
