"""Somebody is erased, and then looked for: in every table of every database, in every log, in what is still sent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

PERSON = {
    "email": "Quirina.Xantho@example.com",
    "name": "Quirina Xanthopoulou",
    "phone": "+15557654321",
    "external_id": "crm-xanthopoulou",
    "metadata": {"nickname": "Quirl"},
}
NOTES = "Prefers the zinnober sofa"
TRACES = ("quirina", "xantho", "quirl", "5557654321", "zinnober")
TABLES = """
    select format('%I.%I', table_schema, table_name) from information_schema.tables
     where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')
"""
OPEN = {
    "customers": "select from outbox",
    "programs": "select from outbox union all select from customer_directory where erased_at <= now() "
    "and forgotten_at is null",
    "vouchers": "select from outbox union all select from customer_directory where erased_at <= now() "
    "and forgotten_at is null",
    "webhooks": "select from erased_customers where redacted_at is null",
}
BOOKS = """
    select id, customer_id, points_delta, points_balance_after, points_remaining, reference from points_transactions
     order by id
"""


@pytest.fixture
def databases(suite: Any) -> Iterator[dict[str, psycopg.Connection[Any]]]:
    urls = suite.layout.database_urls
    connections = {service: psycopg.connect(url, autocommit=True) for service, url in urls.items()}
    yield connections
    for connection in connections.values():
        connection.close()


@pytest.fixture
def found(suite: Any, databases: dict[str, psycopg.Connection[Any]]) -> Callable[[], list[str]]:
    """Where a trace of the person is left: tables with the row, logs with the line."""

    def lines() -> Iterator[tuple[str, str]]:
        for service, connection in databases.items():
            for (table,) in connection.execute(TABLES).fetchall():
                rows = connection.execute(sql.SQL("select t::text from {} t").format(sql.SQL(table)))
                yield from ((f"{service}: {table}", row) for (row,) in rows)
        for log in sorted(Path(suite.directory, "log").rglob("*")):
            if log.is_file():
                yield from ((log.name, line) for line in log.read_text(errors="replace").splitlines())

    def look() -> list[str]:
        return [f"{place}: {line}" for place, line in lines() if any(trace in line.lower() for trace in TRACES)]

    return look


def wait_until_quiet(databases: dict[str, psycopg.Connection[Any]], *, within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    for service, query in OPEN.items():
        while databases[service].execute(f"select exists ({query})".encode()).fetchone() == (True,):
            assert time.monotonic() < deadline, f"{service} is not done"
            time.sleep(0.05)


def cause_everything(merchant: Any) -> int:
    """Events of every service about one person; the person's id."""
    api, location = merchant.api, {"partner_location_id": merchant.partner_location_id}
    customer_id: int = api.data("POST", "/customers", PERSON)["id"]
    api.data("POST", "/customers", {"email": PERSON["email"]})
    who = {"customer_email": PERSON["email"], "notes": NOTES}
    card = {"name": "Insider Points", **location, "earn_spend_amount": 10, "earn_points": 1, "auto_enroll": True}
    card_id = api.data("POST", "/loyalty-cards", card)["id"]
    path = f"/loyalty-cards/{card_id}/transactions"
    api.data("POST", path, {**who, "amount": 124.50, "currency": "USD", "reference": "POS-1"})
    api.data("POST", path, {**who, "points": -2})
    stamp_card = {"name": "Coffee Club", **location, "stamps_required_for_reward": 10}
    api.data(
        "POST", f"/stamp-cards/{api.data('POST', '/stamp-cards', stamp_card)['id']}/stamps", {**who, "quantity": 12}
    )
    voucher = {"name": "Spring Savings", **location, "discount_type": "percent", "discount_value": 20}
    voucher_id = api.data("POST", "/vouchers", voucher)["id"]
    api.data("POST", f"/vouchers/{voucher_id}/redeem", {**who, "order_amount": 45})
    return customer_id


def send_all_again(api: Any, endpoint_id: int) -> None:
    """Now, whatever the schedule says; and to a receiver that works again, of which the breaker knows nothing yet."""
    for is_active in (False, True):
        api.data("PATCH", f"/webhook-endpoints/{endpoint_id}", {"is_active": is_active})
    for delivery in api.data("GET", f"/webhook-deliveries?endpoint_id={endpoint_id}&status=pending"):
        api.data("POST", f"/webhook-deliveries/{delivery['id']}/redeliver")


def test_an_erased_customer_is_nowhere_and_the_books_are_as_they_were(
    merchant: Any, receiver: Any, databases: dict[str, psycopg.Connection[Any]], found: Callable[[], list[str]]
) -> None:
    receiver.status = 500  # Everything is owed once more when the erasure comes.
    endpoint = merchant.api.data("POST", "/webhook-endpoints", {"url": receiver.url})
    customer_id = cause_everything(merchant)
    receiver.wait_for(lambda all_: len({one.envelope["id"] for one in all_}) >= 6)
    wait_until_quiet(databases)
    places = {line.split(":")[0] for line in found()}
    assert {"customers", "programs", "vouchers", "webhooks"} <= places, "otherwise this test looks in the wrong places"
    books = databases["programs"].execute(BOOKS).fetchall()

    assert merchant.api.call("DELETE", f"/customers/{customer_id}").status_code == 200
    wait_until_quiet(databases)
    receiver.events("customer.updated", count=2)
    wait_until_quiet(databases)
    assert found() == []
    assert databases["programs"].execute(BOOKS).fetchall() == books
    refused = merchant.api.call("POST", "/vouchers/1/redeem", {"customer_id": customer_id, "order_amount": 45})
    assert refused.status_code in (400, 404)

    heard, receiver.status = len(receiver.received), 204
    send_all_again(merchant.api, endpoint["id"])
    again = receiver.wait_for(lambda all_: len({one.envelope["id"] for one in all_[heard:]}) >= 7)[heard:]
    assert all(one.is_signed_with(endpoint["signing_secret"]) for one in again)
    told = {one.envelope["id"]: one.envelope["data"] for one in again}
    assert all(data["customer"]["name"] is None and data["customer"]["id"] == customer_id for data in told.values())
    assert [data.get("redacted") for data in told.values() if not data.get("erased_at")] == [True] * (len(told) - 1)
    assert found() == []
