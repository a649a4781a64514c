"""The accounts database of a test run, quick ways to people it, and a service behind the gateway."""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

import loyalty_gateway
from loyalty_common import database, migrations
from loyalty_gateway.domain import api_keys, keys, organizations
from loyalty_gateway.domain.audit import Occasion
from loyalty_gateway.domain.scopes import ALL_SCOPES
from services.gateway.tests.upstream import Upstream

PEPPERS = {1: b"p" * 32}
RIVERSIDE = {"currency": "USD", "country": "US", "time_zone": "America/New_York"}
MIGRATIONS = str(Path(loyalty_gateway.__file__).parent / "migrations")


def by_operator() -> Occasion:
    return Occasion.of_operator(datetime.now(UTC))


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
            return organizations.create(connection, name=name, plan_code=plan, **RIVERSIDE, occasion=by_operator())

    return create


@pytest.fixture(scope="session")
def new_key(engine: Engine, new_organization: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """``new_key(plan="developer", scopes=[…])``: a key of an organization of its own, or of ``organization_id``.

    What else is named goes to ``api_keys.create``.
    """

    def create(
        plan: str = "demo",
        organization_id: int | None = None,
        mode: str = "live",
        scopes: tuple[str, ...] = ALL_SCOPES,
        **settings: Any,
    ) -> dict[str, Any]:
        owner = organization_id or new_organization(plan)["id"]
        with engine.begin() as connection:
            wanted = {"organization_id": owner, "name": "Till 1", "mode": mode, "scopes": scopes, **settings}
            secret = {"peppers": PEPPERS, "entropy": secrets.token_bytes(keys.ENTROPY_BYTES)}
            key = api_keys.create(connection, **wanted, **secret, occasion=by_operator())
        return key | {"organization_id": owner}

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
    own = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "PYTHONPATH")}
    return {
        **own,
        "DATABASE_URL": accounts_url,
        "KEY_PEPPERS": json.dumps({"1": "cHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHA="}),
        "PYTHONWARNINGS": "default",
    }


@pytest.fixture(scope="session")
def until() -> Callable[[Callable[[], bool]], float]:
    """``until(lambda: …)`` asks again and again, at most for 20 s, and says how long it took."""

    def ask(condition: Callable[[], bool]) -> float:
        started = time.monotonic()
        while not condition():
            if time.monotonic() - started > 20:
                pytest.fail("it never came true")
            time.sleep(0.02)
        return time.monotonic() - started

    return ask


@pytest.fixture(scope="session")
def upstream_server() -> Iterator[Upstream]:
    upstream = Upstream()
    yield upstream
    upstream.close()


@pytest.fixture
def upstream(upstream_server: Upstream) -> Iterator[Upstream]:
    upstream_server.reset()
    yield upstream_server
    # Whatever a test is about: what its callers came with stays at the door.
    assert not [received for received in upstream_server.received if re.search("lp[ks]_", str(received))]


@pytest.fixture
def new_upstream() -> Iterator[Callable[[], Upstream]]:
    """A second service process beside ``upstream``."""
    made: list[Upstream] = []

    def create() -> Upstream:
        made.append(Upstream())
        return made[-1]

    yield create
    for upstream in made:
        upstream.close()
