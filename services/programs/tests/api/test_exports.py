"""The ledger as a file."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

Call = Callable[..., Any]


def lines(call: Call, query: str = "") -> list[dict[str, str]]:
    answer = call("GET", f"/exports/transactions.csv{query}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


@pytest.fixture
def ledger(call: Call, alex: int, insider: Callable[..., int]) -> int:
    """The card that two rows are about: a bonus, and a purchase with a note that would be a formula."""
    card = insider()
    call("POST", f"/loyalty-cards/{card}/enrollments", {"customer_id": alex})
    sale = {"customer_id": alex, "amount": 24.50, "currency": "USD", "reference": "=POS", "notes": "@sum(1)"}
    call("POST", f"/loyalty-cards/{card}/transactions", sale)
    return card


def test_the_file_has_the_keys_of_a_transaction_in_their_order(call: Call, ledger: int) -> None:
    bonus, sale = lines(call)
    shown = call("GET", f"/loyalty-cards/{ledger}/transactions").json["data"][0]
    assert list(sale) == list(shown)
    assert (bonus["type"], bonus["points_delta"], bonus["amount"]) == ("bonus", "50", "")
    told = {name: "" if value is None else str(value) for name, value in shown.items()}
    assert sale == told | {"purchase_reference": "'=POS", "notes": "'@sum(1)"}


def test_a_file_of_one_card_or_of_some_days(call: Call, ledger: int, insider: Callable[..., int]) -> None:
    other = insider()
    assert len(lines(call, f"?loyalty_card_id={ledger}")) == 2
    assert lines(call, f"?loyalty_card_id={other}") == []
    assert lines(call, "?to=2020-01-01") == lines(call, "?from=2999-01-01") == []
    moment = lines(call)[1]["occurred_at"].replace("+", "%2B")
    assert len(lines(call, f"?from={moment[:4]}-01-01&to={moment}")) == 2


@pytest.mark.parametrize("query", ["?from=soon", "?to=2026-13-01", "?loyalty_card_id=999999", "?loyalty_card_id=x"])
def test_a_filter_that_means_nothing_is_400(call: Call, ledger: int, query: str) -> None:
    assert call("GET", f"/exports/transactions.csv{query}").status_code == 400


def test_another_tenants_ledger_is_not_in_it(call: Call, ledger: int, tenant_id: int) -> None:
    answer = call("GET", "/exports/transactions.csv", tenant=tenant_id + 1_000_000)
    assert answer.text.count("\n") == 1


def test_thousands_of_rows_come_in_pieces_each_once(call: Call, ledger: int, engine: Engine, tenant_id: int) -> None:
    more = """
        insert into points_transactions (tenant_id, id, loyalty_card_id, enrollment_id, customer_id, type, points_delta,
            points_balance_after, points_remaining, source, occurred_at, recorded_at)
        select tenant_id, id + number, loyalty_card_id, enrollment_id, customer_id, 'adjust', 1, 1, 1, 'api', now(),
            now()
        from points_transactions, generate_series(1, 4999) number
        where tenant_id = :t and type = 'earn'
    """
    with engine.begin() as connection:
        connection.execute(text(more), {"t": tenant_id})
    ids = [int(line["id"]) for line in lines(call)]
    assert len(ids) == len(set(ids)) == 5_001
    assert ids == sorted(ids)
