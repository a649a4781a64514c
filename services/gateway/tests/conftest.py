"""The accounts database of a test run, and quick ways to people it."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

import loyalty_gateway
from loyalty_common import database, migrations
from loyalty_gateway.domain import api_keys, keys, organizations

PEPPERS = {1: b"p" * 32}
MIGRATIONS = str(Path(loyalty_gateway.__file__).parent / "migrations")


@pytest.fixture(scope="session")
def peppers() -> dict[int, bytes]:
    return PEPPERS


@pytest.fixture(scope="session")
def migrations_folder() -> str:
    return MIGRATIONS


@pytest.fixture(scope="session")
def accounts_url(postgres: Any) -> str:
    """A migrated ``accounts`` database."""
    url: str = postgres.create_database("accounts")
    engine = database.create_engine(url, pool_size=2, application_name="migrate")
    migrations.upgrade(engine, script_location=MIGRATIONS)
    engine.dispose()
    return url


@pytest.fixture(scope="session")
def engine(accounts_url: str) -> Iterator[Engine]:
    engine = database.create_engine(accounts_url, pool_size=60, application_name="tests")
    yield engine
    engine.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """A transaction that is rolled back at the end of the test."""
    with engine.connect() as connection:
        yield connection


@pytest.fixture(scope="session")
def new_organization(engine: Engine) -> Callable[..., dict[str, Any]]:
    """``new_organization(plan="business")``: committed, with its tenants."""

    def create(plan: str = "demo", name: str = "Riverside Coffee") -> dict[str, Any]:
        with engine.begin() as connection:
            return organizations.create(
                connection, name=name, plan_code=plan, currency="USD", country="US", time_zone="America/New_York"
            )

    return create


@pytest.fixture(scope="session")
def new_key(engine: Engine, new_organization: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """``new_key(plan="developer", scopes=[…])``: a key of an organization of its own, or of ``organization_id``."""

    def create(
        plan: str = "demo",
        organization_id: int | None = None,
        mode: str = "live",
        scopes: tuple[str, ...] = api_keys.ALL_SCOPES,
    ) -> dict[str, Any]:
        owner = organization_id or new_organization(plan)["id"]
        with engine.begin() as connection:
            return api_keys.create(
                connection,
                organization_id=owner,
                name="Till 1",
                mode=mode,
                scopes=scopes,
                peppers=PEPPERS,
                entropy=secrets.token_bytes(keys.ENTROPY_BYTES),
            )

    return create


@pytest.fixture(scope="session")
def change(engine: Engine) -> Callable[..., None]:
    """``change("update api_keys set … where id = :id", id=4)``, committed."""

    def execute(statement: str, **parameters: Any) -> None:
        with engine.begin() as connection:
            connection.execute(text(statement), parameters)

    return execute


@pytest.fixture(scope="session")
def environment(accounts_url: str) -> dict[str, str]:
    """What every process of the gateway needs, beside this process's own environment."""
    own = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    return {
        **own,
        "DATABASE_URL": accounts_url,
        "KEY_PEPPERS": json.dumps({"1": "cHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHA="}),
        "PYTHONWARNINGS": "default",
    }


@pytest.fixture
def command(environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """``command("organizations", "list")`` runs ``loyalty-gateway`` as its own process."""

    def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "loyalty_gateway", *arguments],
            env=environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run
