"""The first page of a list costs what the last one does, with any filter, however long the list is."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from loyalty_common import migrations
from loyalty_common.messaging.message import Message
from loyalty_testing.listing import ABOVE_ALL, expensive_pages, multiply
from loyalty_testing.postgres import Postgres
from loyalty_webhooks.__main__ import MIGRATIONS
from loyalty_webhooks.app import create_app
from loyalty_webhooks.consumers.events import handler
from loyalty_webhooks.models import WebhookDelivery, WebhookEndpoint
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


def others(one: str, other: str) -> str:
    """Every second row is somebody else's."""
    return f"case when n % 2 = 0 then (the.one).{one} else {other} end"


STATUSES = """
    case n % 4 when 0 then 'pending' when 1 then 'exhausted' when 2 then 'cancelled' else 'succeeded' end
"""
OWED = {
    "endpoint_id": others("endpoint_id", f"{ABOVE_ALL} + n"),
    "event_id": "gen_random_uuid()",
    "event": others("event", "'stamp.issued'"),
    "status": STATUSES,
}


def test_every_page_of_every_list_costs_the_same(
    call: Call, engine: Engine, tenant_id: int, purchase: Callable[..., Message]
) -> None:
    endpoint = call("POST", "/webhook-endpoints", {"url": "http://127.0.0.1:9/hook"}).json["data"]
    handler(engine)([purchase()])
    with engine.begin() as connection:
        multiply(connection, WebhookEndpoint.__table__, owner_id=tenant_id, times=ROWS)
        multiply(connection, WebhookDelivery.__table__, owner_id=tenant_id, times=ROWS, **OWED)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))
    now = datetime.now(UTC)
    [delivery] = call("GET", "/webhook-deliveries?per_page=1").json["data"]
    values = {
        "endpoint_id": [endpoint["id"]],
        "event_id": [delivery["event_id"]],
        "from": [(now - timedelta(days=9)).isoformat()],
        "to": [(now - timedelta(days=ROWS - 9)).isoformat()],
    }
    few = [("/webhook-endpoints", "is_active")]  # Nobody has so many endpoints that these need an index.
    expensive = expensive_pages("webhooks", call=call, engine=engine, ids={}, values=values, rows=ROWS, apart=few)
    assert not expensive, "\n".join(expensive)
