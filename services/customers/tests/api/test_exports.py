"""Customers as a file."""

import csv
import io
import os
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

Call = Callable[..., Any]
MANY = """
    insert into customers
        (tenant_id, id, version, name, email, email_key, metadata, search_text, created_at, updated_at)
    select :t, number, 1, 'Member ' || number, number || '@example.com', number || '@example.com', '{}', '',
           timestamptz '2026-05-16T04:00:00Z' + number / 10 * interval '1 second', now()
    from generate_series(1, :count) number
"""


def lines(call: Call, query: str = "") -> list[dict[str, str]]:
    answer = call("GET", f"/exports/customers.csv{query}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Disposition"] == 'attachment; filename="customers.csv"'
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def insert(engine: Engine, tenant_id: int, count: int) -> None:
    with engine.begin() as connection:
        connection.execute(text(MANY), {"t": tenant_id, "count": count})


def test_a_customer_is_a_line_that_no_spreadsheet_takes_for_a_formula(call: Call) -> None:
    alex = {"email": "alex@example.com", "name": '=HYPERLINK("x")', "phone": "+15551234567"}
    created = call("POST", "/customers", alex).json["data"]
    sam = call("POST", "/customers", {"email": "sam@example.com"}).json["data"]
    answer = call("GET", "/exports/customers.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.text.splitlines() == [
        "id,name,email,phone,created_at",
        f'{created["id"]},"\'=HYPERLINK(""x"")",alex@example.com,\'+15551234567,{created["created_at"]}',
        f"{sam['id']},,sam@example.com,,{sam['created_at']}",
    ]


def test_thousands_come_oldest_first_each_once(call: Call, engine: Engine, tenant_id: int) -> None:
    insert(engine, tenant_id, 5_001)
    assert [int(line["id"]) for line in lines(call)] == list(range(1, 5_002))


def test_dates_are_days_of_the_organization_at_both_ends(call: Call, engine: Engine, tenant_id: int) -> None:
    insert(engine, tenant_id, 100)  # from midnight in New York on 16 May
    assert len(lines(call, "?from=2026-05-16&to=2026-05-16")) == 100
    assert lines(call, "?to=2026-05-15") == lines(call, "?from=2026-05-17") == []
    within = lines(call, "?from=2026-05-16T04:00:02Z&to=2026-05-16T04:00:03Z")
    assert [int(line["id"]) for line in within] == list(range(20, 40))


@pytest.mark.parametrize("query", ["?from=soon", "?to=2026-13-01", "?to=0001-01-01", "?from=9999-12-31"])
def test_a_filter_that_means_nothing_is_400(call: Call, query: str) -> None:
    assert call("GET", f"/exports/customers.csv{query}").status_code == 400


def test_a_large_file_is_sent_at_constant_memory(call: Call, engine: Engine, tenant_id: int) -> None:
    insert(engine, tenant_id, 60_000)
    answer = call("GET", "/exports/customers.csv", buffered=False)
    size, most, before = 0, 0, 0
    for number, piece in enumerate(answer.iter_encoded()):
        size += len(piece)
        before = before or (resident_bytes() if number == 5 else 0)
        most = max(most, resident_bytes())
    assert size > 3_000_000
    assert most - before < 4_000_000


def resident_bytes() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
