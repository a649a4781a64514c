"""The first page of a list costs what the last one does, with any filter, however long the list is."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from loyalty_common import migrations
from loyalty_customers.__main__ import MIGRATIONS
from loyalty_customers.app import create_app
from loyalty_customers.models import Customer, Import
from loyalty_customers.settings import Settings
from loyalty_testing.listing import expensive_pages, multiply
from loyalty_testing.postgres import Postgres

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


# test_search.py says what a search costs, and the owners of what a timeline tells what that does.
APART = [("/customers", "search"), ("/customers", "updated_since")]
COMPOSED = ["/customers/{customer_id}/timeline"]


def test_every_page_of_every_list_costs_the_same(call: Call, engine: Engine, tenant_id: int, upload: Call) -> None:
    alex = {"email": "alex@example.com", "name": "Alex Rivera", "external_id": "crm-1"}
    assert call("POST", "/customers", alex).status_code == 201
    assert upload("email\nsam@example.com\n").status_code == 201
    given = dict.fromkeys(("email", "email_key", "external_id"), "'guest-' || n")
    with engine.begin() as connection:
        multiply(connection, Customer.__table__, owner_id=tenant_id, times=ROWS, **given)
        multiply(connection, Import.__table__, owner_id=tenant_id, times=ROWS)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))
    values = {
        "email": ["alex@example.com", "nobody@example.com"],
        "external_id": ["crm-1", "crm-nobody"],
        "ids": ["1,2,3"],
    }
    expensive = expensive_pages(
        "customers", call=call, engine=engine, ids={}, values=values, rows=ROWS, apart=APART, composed=COMPOSED
    )
    assert not expensive, "\n".join(expensive)
