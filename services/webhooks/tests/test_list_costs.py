"""The first page of a list costs what the last one does, with any filter, however long the list is."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from loyalty_common import migrations
from loyalty_testing.listing import expensive_pages, multiply
from loyalty_testing.postgres import Postgres
from loyalty_webhooks.__main__ import MIGRATIONS
from loyalty_webhooks.app import create_app
from loyalty_webhooks.models import WebhookEndpoint
from loyalty_webhooks.settings import Settings

Call = Callable[..., Any]
ROWS = 2_000


@pytest.fixture(scope="module")
def client(settings: Settings, postgres: Postgres) -> Iterator[FlaskClient]:
    """The service with a database of its own: so many rows would be in the way of others' tests."""
    settings = replace(settings, database_url=postgres.create_database("lists"))
    app = create_app(settings)
    migrations.upgrade(app.extensions["engine"], script_location=MIGRATIONS)
    yield app.test_client()
    app.extensions["engine"].dispose()


@pytest.fixture(scope="module")
def engine(client: FlaskClient) -> Engine:
    engine: Engine = client.application.extensions["engine"]
    return engine


def test_every_page_of_every_list_costs_the_same(call: Call, engine: Engine, tenant_id: int) -> None:
    assert call("POST", "/webhook-endpoints", {"url": "http://127.0.0.1:9/hook"}).status_code == 201
    with engine.begin() as connection:
        multiply(connection, WebhookEndpoint.__table__, owner_id=tenant_id, times=ROWS)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))
    few = [("/webhook-endpoints", "is_active")]  # Nobody has so many endpoints that these need an index.
    expensive = expensive_pages("webhooks", call=call, engine=engine, ids={}, values={}, rows=ROWS, apart=few)
    assert not expensive, "\n".join(expensive)
