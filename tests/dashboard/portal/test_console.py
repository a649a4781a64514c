"""Trying an operation out: with a test key, for whoever reads, and for nobody who wants something else."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from loyalty_testing.visitor import Page, Visitor


@pytest.fixture
def reader(visit: Callable[[], Visitor]) -> Visitor:
    return visit()


@pytest.fixture
def sandbox_key(merchant: Any) -> str:
    key: str = merchant.test_api.data("POST", "/api-keys", {"name": "Console"})["key"]
    return key


def try_out(reader: Visitor, operation: str, **changed: Any) -> Page:
    return reader.send(reader.open(f"/docs/console/{operation}").form(), **changed)


def answer(page: Page) -> str:
    return page.codes.get("answer", "")


def test_a_reader_creates_a_test_customer_and_reads_him_again(reader, merchant, sandbox_key):
    page = reader.open("/docs/console/post_customers")
    assert "alex@example.com" in page.form().fields["body"]  # What the documentation shows stands there already.
    page = reader.send(page.form(), key=sandbox_key)
    assert page.status == 200
    assert '"email": "alex@example.com"' in answer(page)
    [customer] = merchant.test_api.data("GET", "/customers")

    page = try_out(
        reader,
        "get_customers_customer_id",
        key=sandbox_key,
        **{"path.customer_id": customer["id"]},
    )
    assert f'"id": {customer["id"]}' in answer(page)

    page = try_out(reader, "get_customers", key=sandbox_key, **{"query.search": "nobody"})
    assert '"data": []' in answer(page)


def test_what_the_api_refuses_is_shown_as_it_says_it(reader, sandbox_key):
    page = try_out(reader, "post_customers", key=sandbox_key, body='{"name": "<script>alert(1)</script>"}')
    assert "The email field is required." in answer(page)
    assert "<script>alert" not in page.source
    page = try_out(reader, "post_customers", key=sandbox_key, body="{")
    assert "malformed_json" in answer(page)
    page = try_out(reader, "get_customers", key=sandbox_key[:-1] + "!")
    assert (page.status, answer(page)) == (400, "")


def test_a_live_key_is_not_used(reader, merchant):
    page = try_out(reader, "post_customers", key=merchant.live_key)
    assert page.status == 400
    assert "key to live data" in page.text
    assert merchant.api.data("GET", "/customers") == []


@pytest.mark.parametrize(
    "changed",
    [
        {"path.customer_id": ".."},
        {"path.customer_id": "../../../livez"},
        {"path.customer_id": "1/../../loyalty-cards"},
        {"path.customer_id": "@127.0.0.1:1"},
        {"path.customer_id": "%2e%2e"},
        {"path.customer_id": ""},
    ],
)
def test_it_reaches_nothing_but_the_operation(reader, sandbox_key, changed):
    page = try_out(reader, "get_customers_customer_id", key=sandbox_key, **changed)
    assert (page.status, answer(page)) == (400, "")


@pytest.mark.parametrize("operation", ["post_sessions", "post_organizations", "get_livez", "nothing", ".."])
def test_what_a_key_cannot_call_has_no_console(reader, operation):
    assert reader.open(f"/docs/console/{operation}").status == 404


def test_it_takes_no_form_but_its_own(reader, sandbox_key):
    form = reader.open("/docs/console/get_customers").form()
    assert reader.send(form, key=sandbox_key, csrf_token="somebody else's").status == 400
    assert reader.post("/docs/console/get_customers", key=sandbox_key).status == 400


def test_the_key_stands_in_no_page_no_address_and_no_log(reader, suite, sandbox_key):
    page = try_out(reader, "get_customers", key=sandbox_key)
    assert page.status == 200
    assert sandbox_key not in page.source
    assert sandbox_key not in page.url
    assert not re.search(r"lpk_test_\w", page.source)
    for log in (suite.directory / "log").glob("*.log"):
        assert sandbox_key[20:] not in log.read_text(errors="replace"), log.name
