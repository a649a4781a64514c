"""The first page of a list costs what the last one does, with any filter, however long the list is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from sqlalchemy import text

from loyalty_gateway.models import ApiKey, AuditEntry, PartnerLocation, User
from loyalty_testing.listing import expensive_pages, multiply

ROWS = 2_000
VALUES = {
    "action": ["api_key.created", "api_key.revoked", "no such"],
    "from": ["1999-01-01", "2999-01-01"],
    "to": ["1999-01-01", "2999-01-01"],
}
# An organization has dozens of keys: to look at them all is cheap, and an index for a status that time changes is not.
BY_THE_DOZEN = {("/api-keys", "status"), ("/api-keys", "mode")}


def test_every_page_of_every_list_costs_the_same(app: Flask, key: dict[str, Any], call: Callable[..., Any]) -> None:
    assert call("POST", "/partner-locations", {"name": "Riverside"}).status_code == 201
    assert call("POST", "/users", {"name": "Kim", "email": "kim@example.com", "role": "staff"}).status_code == 201
    engine = app.extensions["engine"]
    with engine.begin() as connection:
        of = {"owner_id": key["organization_id"], "times": ROWS}
        multiply(connection, PartnerLocation.__table__, **of)
        multiply(connection, ApiKey.__table__, **of, kid="'kid' || n")
        multiply(connection, User.__table__, **of, email="'kim' || n || '@lists.example'")
        multiply(connection, AuditEntry.__table__, **of)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))
    expensive = expensive_pages(
        "gateway", call=call, engine=engine, ids={}, values=VALUES, rows=ROWS, apart=BY_THE_DOZEN
    )
    assert not expensive, "\n".join(expensive)
