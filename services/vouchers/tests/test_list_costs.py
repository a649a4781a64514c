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
from loyalty_vouchers.__main__ import MIGRATIONS
from loyalty_vouchers.app import create_app
from loyalty_vouchers.models import Redemption, Voucher, VoucherBatch
from loyalty_vouchers.settings import Settings

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


def test_every_page_of_every_list_costs_the_same(
    call: Call, engine: Engine, tenant_id: int, new_voucher: Call, redeem: Call, know: Call, person: Call
) -> None:
    voucher = new_voucher()
    batch = {"name": "May mailing", "partner_location_id": 2, "discount_type": "fixed", "discount_value": 5}
    batch_id = call("POST", "/voucher-batches", {**batch, "quantity": 2}).json["data"]["id"]
    assert redeem(voucher, order_reference="POS-1").status_code == 201
    with engine.begin() as connection:
        multiply(connection, Voucher.__table__, owner_id=tenant_id, times=ROWS, voucher_code="'CODE-' || n")
        multiply(connection, VoucherBatch.__table__, owner_id=tenant_id, times=ROWS)
        somebody = "case when n % 2 = 0 then 1042 else 100000 + n end"
        older = {
            "customer_id": somebody,
            "redeemed_at": "(the.one).redeemed_at - n * interval '1 day'",
            "order_reference": "'POS-0' || n",
        }
        multiply(connection, Redemption.__table__, owner_id=tenant_id, times=ROWS, **older)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))
    know(person(id=7, email="nobody@example.com"))
    values = {
        "customer_id": [1042, 7],
        "customer_email": ["alex@example.com", "nobody@example.com"],
        "order_reference": ["POS-1", "POS-nothing"],
        "voucher_batch_id": [batch_id, batch_id + 1],
        "partner_location_id": [2, 3],
        "from": ["2000-01-01", "2020-01-01", "2999-01-01"],
        "to": ["2000-01-01", "2020-01-01", "2999-01-01"],
    }
    searched = [("/vouchers", "search")]  # By trigrams: see test_indexes.py.
    expensive = expensive_pages(
        "vouchers",
        call=call,
        engine=engine,
        ids={"voucher_id": voucher["id"]},
        values=values,
        rows=ROWS,
        apart=searched,
    )
    assert not expensive, "\n".join(expensive)
