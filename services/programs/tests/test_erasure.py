"""An erased customer: the books stay to the cent, what was said of the person goes, whoever was writing meanwhile."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from loyalty_common.messaging.message import Message
from loyalty_programs.consumers import handler
from loyalty_programs.jobs import all_jobs
from loyalty_programs.models import Base, directory

Call = Callable[..., Any]
AT = "2026-04-02T14:30:00+00:00"
NOTES = "allergic to nuts"
# What a table about a customer may hold in words without saying anything of the person. A new column has to be judged:
# it belongs here, or it is called notes, or ``Erasure`` learns of it.
IMPERSONAL = {
    "claim_code",
    "currency",
    "error",
    "member_number",
    "operation",
    "order_reference",
    "recorded_currency",
    "reference",
    "reward_title",
    "source",
    "status",
    "title",
    "type",
}
OF_THE_SUITE = {"customer_directory", "idempotency"}
# Of people who were not known here: ``forget_addresses`` takes them out.
OF_UNKNOWN_PEOPLE = {"reconciliation_entries": {"customer_email"}}


@pytest.fixture
def erasure_of(tenant_id: int) -> Callable[[int], Message]:
    """The event that says a customer was erased."""

    def make(customer_id: int) -> Message:
        nobody = {"id": customer_id, **dict.fromkeys(("name", "email", "phone", "external_id")), "metadata": {}}
        nobody |= {"created_at": AT, "updated_at": AT}
        data = {**nobody, "customer": nobody, "source": "api", "changed": ["erased_at"], "erased_at": AT}
        return Message(uuid.uuid4(), "customer.updated", "customers", tenant_id, 9, datetime.now(UTC), data)

    return make


@pytest.fixture
def erase(engine: Engine, erasure_of: Callable[[int], Message]) -> Callable[[int], None]:
    return lambda customer_id: handler(engine)([erasure_of(customer_id)])


@pytest.fixture
def everything(rows: Callable[[str], list[Any]]) -> Callable[[], str]:
    """All that this tenant's tables hold."""
    tables = [table.name for table in Base.metadata.sorted_tables if "tenant_id" in table.c]
    return lambda: "\n".join(
        str(row) for name in tables for row in rows(f"select * from {name} where tenant_id = :tenant_id")
    )


@pytest.mark.parametrize("table", [table for table in Base.metadata.sorted_tables if "customer_id" in table.c])
def test_no_words_about_a_customer_are_kept_where_erasure_does_not_look(table: Table) -> None:
    words = {column.name for column in table.columns if isinstance(column.type, Text | JSONB)}
    words -= {"notes", "referral_code"}  # Both are taken out wherever they stand beside a customer_id.
    words -= OF_UNKNOWN_PEOPLE.get(table.name, set())
    assert table.name in OF_THE_SUITE or words <= IMPERSONAL


def test_a_customers_words_go_and_his_books_stay(
    call: Call,
    alex: int,
    knows: Callable[..., int],
    insider: Callable[..., int],
    coffee_club: Callable[..., int],
    erase: Callable[[int], None],
    everything: Callable[[], str],
    rows: Callable[[str], list[Any]],
    books_balance: Callable[[], None],
) -> None:
    sam = knows(1043, "sam@example.com", name="Sam")
    card, club = insider(auto_enroll=True), coffee_club()
    for customer_id, notes in ((alex, NOTES), (sam, "likes window seats")):
        said = {"customer_id": customer_id, "notes": notes}
        call("POST", f"/loyalty-cards/{card}/transactions", {**said, "points": 30})
        call("POST", f"/stamp-cards/{club}/stamps", {**said, "quantity": 12})
    ledger = "select id, points_delta, points_balance_after, points_remaining from points_transactions"
    before = rows(f"{ledger} where tenant_id = :tenant_id order by id")
    erase(alex)
    kept = everything()
    assert [trace for trace in (NOTES, "alex@example.com", "Alex", "5551234567") if trace in kept] == []
    assert "likes window seats" in kept
    assert "sam@example.com" in kept
    assert rows(f"{ledger} where tenant_id = :tenant_id order by id") == before
    books_balance()


def test_a_repeated_purchase_is_still_the_same_one(
    call: Call, alex: int, insider: Callable[..., int], erase: Callable[[int], None], rows: Callable[[str], list[Any]]
) -> None:
    path = f"/loyalty-cards/{insider(auto_enroll=True)}/transactions"
    sale = {"customer_id": alex, "points": 5, "notes": NOTES}
    first = call("POST", path, sale, key="till-1")
    erase(alex)
    again = call("POST", path, sale, key="till-1")
    assert (again.status_code, again.json["data"]) == (201, {**first.json["data"], "notes": None})
    assert call("POST", path, sale, key="till-2").json["error"]["reason"] == "customer_not_found"
    assert len(rows("select 1 from points_transactions where tenant_id = :tenant_id and type = 'adjust'")) == 1


def test_an_event_that_waits_is_redacted_and_says_so(
    call: Call, alex: int, insider: Callable[..., int], erase: Callable[[int], None], events: Callable[[], list[Any]]
) -> None:
    sale = {"customer_id": alex, "points": 5, "notes": NOTES}
    call("POST", f"/loyalty-cards/{insider(auto_enroll=True, initial_bonus_points=0)}/transactions", sale)
    before = dict(events())
    erase(alex)
    after = dict(events())
    assert set(after) == set(before) == {"loyalty.enrolled", "loyalty.points_earned"}
    nobody = {"id": alex, "name": None, "email": None, "phone": None}
    earned = {**before["loyalty.points_earned"], "notes": None, "customer": nobody, "redacted": True}
    assert after["loyalty.points_earned"] == earned


def test_what_was_left_by_a_killed_process_is_done_by_the_job(
    engine: Engine, call: Call, alex: int, insider: Callable[..., int], erasure_of: Any, everything: Callable[[], str]
) -> None:
    sale = {"customer_id": alex, "points": 5, "notes": NOTES}
    call("POST", f"/loyalty-cards/{insider(auto_enroll=True)}/transactions", sale)
    with engine.begin() as connection:
        # Committed, and killed before anything else.
        directory.hear_of_customer(connection, erasure_of(alex))
    assert NOTES in everything()
    assert all_jobs(engine)["forget_erased"]() == 1
    assert NOTES not in everything()
    assert all_jobs(engine)["forget_erased"]() == 0


def test_who_was_writing_when_the_erasure_came_is_waited_for(
    engine: Engine, call: Call, alex: int, insider: Callable[..., int], erase: Any, rows: Callable[[str], list[Any]]
) -> None:
    call("POST", f"/loyalty-cards/{insider(auto_enroll=True)}/transactions", {"customer_id": alex, "points": 5})
    tombstone = "select 1 from customer_directory where tenant_id = :tenant_id and erased_at is not null"
    with ThreadPoolExecutor(1) as consumer:
        with engine.begin() as till:
            till.execute(text("select 1"))  # It has begun, and knows nothing of the erasure.
            erasing = consumer.submit(erase, alex)
            while not rows(tombstone):
                assert not erasing.done()
            till.execute(text("update points_transactions set notes = :notes"), {"notes": NOTES})
        erasing.result()
    assert {row.notes for row in rows("select notes from points_transactions where tenant_id = :tenant_id")} == {None}


@pytest.mark.parametrize("member", [True, False])
def test_a_purchase_at_the_moment_of_erasure_is_booked_without_words_or_refused(
    call: Call,
    alex: int,
    insider: Callable[..., int],
    erase: Callable[[int], None],
    rows: Callable[[str], list[Any]],
    everything: Callable[[], str],
    books_balance: Callable[[], None],
    member: bool,
) -> None:
    path = f"/loyalty-cards/{insider(auto_enroll=True)}/transactions"
    if member:
        call("POST", path, {"customer_id": alex, "points": 1})
    start = threading.Barrier(13)

    def sell(till: int) -> Any:
        start.wait()
        return call(
            "POST",
            path,
            {"customer_id": alex, "amount": 24.50, "currency": "USD", "notes": NOTES, "reference": f"POS-{till}"},
        )

    def erase_alex() -> None:
        start.wait()
        erase(alex)

    with ThreadPoolExecutor(13) as pool:
        sales = [pool.submit(sell, till) for till in range(12)]
        pool.submit(erase_alex).result()
        answers = [sale.result() for sale in sales]
    refused = [answer for answer in answers if answer.status_code == 400]
    assert {answer.json["error"]["reason"] for answer in refused} <= {"customer_not_found"}
    booked = rows("select notes from points_transactions where tenant_id = :tenant_id and type = 'earn'")
    assert len(booked) == 12 - len(refused)
    assert NOTES not in everything()
    books_balance()
