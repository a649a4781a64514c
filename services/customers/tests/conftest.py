"""The service on a database of its own, called as the gateway calls it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from loyalty_common import database, migrations
from loyalty_common.service_client import ServiceClient
from loyalty_customers.__main__ import MIGRATIONS
from loyalty_customers.app import create_app
from loyalty_customers.jobs.imports import step
from loyalty_customers.settings import Settings
from loyalty_testing.keys import IdentityKeys
from loyalty_testing.postgres import Postgres

Call = Callable[..., Any]
_tenants = itertools.count(1)


@pytest.fixture(scope="session")
def settings(postgres: Postgres, identity_keys: IdentityKeys) -> Settings:
    return Settings(
        database_url=postgres.create_database("customers"),
        database_pool_size=60,
        bind="",
        web_workers=1,
        web_threads=1,
        public_base_url="https://loyalty.test/api/v1",
        events_url="webhooks=http://127.0.0.1:1",
        identity_public_keys=identity_keys.public_keys,
        identity_private_key=identity_keys.private_key("customers"),
        programs_url="http://127.0.0.1:1",
        vouchers_url="http://127.0.0.1:1",
        webhooks_url="http://127.0.0.1:1",
        otel_exporter_otlp_endpoint="",
        log_level="error",
        metrics_port=0,
    )


@pytest.fixture(scope="session")
def engine(settings: Settings) -> Iterator[Engine]:
    engine = database.create_engine(settings.database_url, pool_size=4, application_name="tests")
    migrations.upgrade(engine, script_location=MIGRATIONS)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def client(settings: Settings, engine: Engine) -> Iterator[FlaskClient]:
    app = create_app(settings)
    yield app.test_client()
    app.extensions["engine"].dispose()


@pytest.fixture
def tenant_id() -> int:
    """A tenant that no other test knows."""
    return next(_tenants)


@pytest.fixture
def call(client: FlaskClient, tenant_id: int, gateway_token: Callable[..., str]) -> Call:
    """``call("POST", "/customers", {...}, key="k")`` as this test's tenant; keywords go to the client."""

    def call_as_gateway(
        method: str, path: str, body: Any = None, *, key: str | None = None, tenant: int = 0, **options: Any
    ) -> Any:
        headers = {"Authorization": f"Bearer {gateway_token('customers', tenant_id=tenant or tenant_id)}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        if body is not None:
            options["json"] = body
        return client.open(f"/v1{path}", method=method, headers={**headers, **options.pop("headers", {})}, **options)

    return call_as_gateway


@pytest.fixture
def upload(call: Call) -> Call:
    """``upload("email\\nalex@example.com\\n", media_type="text/csv", key="k")``: the answer to a file."""

    def send(
        content: str | bytes, *, media_type: str = "text/csv", query: str = "?type=customers", **options: Any
    ) -> Any:
        body = content.encode() if isinstance(content, str) else content
        return call("POST", f"/imports{query}", data=body, content_type=media_type, **options)

    return send


@pytest.fixture
def work_off(engine: Engine, call: Call, identity_keys: IdentityKeys) -> Callable[[int], Any]:
    """Works at imports as a worker does until nothing is due; the import as it is shown then. Programs is down."""
    programs = ServiceClient("http://127.0.0.1:1", audience="programs", signer=identity_keys.signer("customers"))

    def work(import_id: int) -> Any:
        while step(engine, programs):
            pass
        return call("GET", f"/imports/{import_id}").json["data"]

    return work
