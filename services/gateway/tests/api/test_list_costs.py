"""The first page of a list costs what the last one does, with any filter, however long the list is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from sqlalchemy import text

from loyalty_gateway.models import PartnerLocation
from loyalty_testing.listing import expensive_pages, multiply

ROWS = 2_000


def test_every_page_of_every_list_costs_the_same(app: Flask, key: dict[str, Any], call: Callable[..., Any]) -> None:
    assert call("POST", "/partner-locations", {"name": "Riverside"}).status_code == 201
    engine = app.extensions["engine"]
    with engine.begin() as connection:
        multiply(connection, PartnerLocation.__table__, owner_id=key["organization_id"], times=ROWS)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))
    expensive = expensive_pages("gateway", call=call, engine=engine, ids={}, values={}, rows=ROWS)
    assert not expensive, "\n".join(expensive)
