import secrets
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import psycopg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text

from loyalty_common import database, migrations
from loyalty_customers.__main__ import MIGRATIONS
from loyalty_customers.app import create_app
from loyalty_customers.models import Base
from loyalty_customers.settings import Settings
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


def test_a_schema_that_is_newer_than_the_code_is_left_as_it_is(postgres: Postgres) -> None:
    """Who goes back to a release starts its migration step too."""
    engine = database.create_engine(postgres.create_database("customers"), pool_size=2, application_name="tests")
    migrations.upgrade(engine, script_location=MIGRATIONS)
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    migrations.upgrade(engine, script_location=MIGRATIONS)
    with engine.connect() as connection:
        assert connection.execute(text("select version_num from alembic_version")).scalars().all() == ["9999"]
    engine.dispose()


def test_a_listener_is_not_ready_before_the_migrations_of_its_code(settings: Settings, postgres: Postgres) -> None:
    app = create_app(replace(settings, database_url=postgres.create_database("customers")))
    engine = app.extensions["engine"]

    def state() -> tuple[int, str]:
        answer = app.test_client().get("/readyz")
        assert answer.json is not None
        return answer.status_code, answer.json["dependencies"]["database"]

    assert state() == (503, "unavailable")
    migrations.upgrade(engine, script_location=MIGRATIONS, to="0007")
    assert state() == (503, "unavailable")
    migrations.upgrade(engine, script_location=MIGRATIONS)
    assert state() == (200, "ok")
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    assert state() == (200, "ok")
    engine.dispose()


def test_no_two_migrations_were_made_side_by_side() -> None:
    assert len(migrations.heads(MIGRATIONS)) == 1
