from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from loyalty_common.database import Conflict, transaction
from loyalty_common.record import Record

Rows = Callable[[Any], list[dict[str, Any]]]


@pytest.fixture
def earn(ledger: Any) -> Record:
    return Record(
        guard=(ledger.accounts, ("balance",)),
        changes={ledger.entries: ("remaining",)},
        inserts=(ledger.entries,),
    )


def test_a_decision_is_written_with_everything_that_belongs_to_it(ledger: Any, earn: Record, rows_of: Rows) -> None:
    entries = [
        {"id": 10, "delta": 5, "amount": Decimal("24.50"), "remaining": 5, "reference": "POS-1"},
        {"id": 11, "delta": 2},
    ]
    with transaction(ledger.engine, 1) as tx:
        earn.write(tx, {ledger.entries: entries}, guard=[{"id": 1, "version": 1, "balance": 7}])
    assert rows_of(ledger.accounts)[0] == {"tenant_id": 1, "id": 1, "version": 2, "balance": 7}
    assert rows_of(ledger.entries) == [
        {"tenant_id": 1, "id": 10, "delta": 5, "amount": Decimal("24.5"), "remaining": 5, "reference": "POS-1"},
        {"tenant_id": 1, "id": 11, "delta": 2, "amount": None, "remaining": None, "reference": None},
    ]


def test_a_row_that_changed_since_it_was_loaded_is_a_conflict_and_nothing_is_written(
    ledger: Any, earn: Record, rows_of: Rows
) -> None:
    with pytest.raises(Conflict), transaction(ledger.engine, 1) as tx:
        earn.write(tx, {ledger.entries: [{"id": 10, "delta": 5}]}, guard=[{"id": 1, "version": 9, "balance": 5}])
    assert rows_of(ledger.entries) == []
    assert rows_of(ledger.accounts)[0]["balance"] == 0


def test_the_guard_holds_inside_the_statement_too(ledger: Any, earn: Record, rows_of: Rows) -> None:
    """Even a caller that swallowed the conflict and committed would have written nothing."""
    with transaction(ledger.engine, 1) as tx, pytest.raises(Conflict):
        earn.write(tx, {ledger.entries: [{"id": 10, "delta": 5}]}, guard=[{"id": 1, "version": 9, "balance": 5}])
    assert rows_of(ledger.entries) == []


def test_no_row_is_written_for_another_tenant(ledger: Any, earn: Record, rows_of: Rows) -> None:
    with transaction(ledger.engine, 2) as tx:
        earn.write(tx, {ledger.entries: [{"id": 10, "delta": 5}]}, guard=[{"id": 1, "version": 1, "balance": 5}])
        with pytest.raises(KeyError):
            earn.write(tx, {ledger.entries: [{"id": 12, "delta": 5, "tenant_id": 1}]})
    assert [(row["tenant_id"], row["balance"]) for row in rows_of(ledger.accounts)] == [(1, 0), (2, 5)]
    assert [row["tenant_id"] for row in rows_of(ledger.entries)] == [2]


def test_a_column_that_the_table_does_not_have_is_an_error_not_a_loss(ledger: Any, earn: Record) -> None:
    with pytest.raises(KeyError, match="dleta"), transaction(ledger.engine, 1) as tx:
        earn.write(tx, {ledger.entries: [{"id": 10, "dleta": 5}]}, guard=[{"id": 1, "version": 1, "balance": 5}])


def test_rows_found_by_id_are_changed_under_the_same_guard(ledger: Any, rows_of: Rows) -> None:
    first = Record(inserts=(ledger.entries,))
    spend = Record(guard=(ledger.accounts, ("balance",)), changes={ledger.entries: ("remaining",)})
    with transaction(ledger.engine, 1) as tx:
        first.write(
            tx, {ledger.entries: [{"id": 10, "delta": 5, "remaining": 5}, {"id": 11, "delta": 5, "remaining": 5}]}
        )
    with transaction(ledger.engine, 1) as tx:
        changes = {ledger.entries: [{"id": 10, "remaining": 0}, {"id": 11, "remaining": 3}]}
        spend.write(tx, {}, changes=changes, guard=[{"id": 1, "version": 1, "balance": 3}])
    assert [row["remaining"] for row in rows_of(ledger.entries)] == [0, 3]
