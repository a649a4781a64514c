"""An erased customer: redemptions and limits stay, what was said of the person goes."""

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
from loyalty_vouchers.consumers import handler
from loyalty_vouchers.models import Base

Call = Callable[..., Any]
AT = "2026-06-01T09:00:00+00:00"
NOTES = "allergic to nuts"
# See the test of the same name in programs.
IMPERSONAL = {"currency", "order_reference", "source", "status", "voucher_code"}
OF_THE_SUITE = {"customer_directory", "idempotency"}


@pytest.fixture
def erase(engine: Engine, tenant_id: int, person: Callable[..., Any]) -> Callable[[], None]:
    """Alex is erased."""
    nobody = person(name=None, email=None, phone=None)
    data = {**nobody, "customer": nobody, "source": "api", "changed": ["erased_at"], "erased_at": AT}

    def hear() -> None:
        message = Message(uuid.uuid4(), "customer.updated", "customers", tenant_id, 9, datetime.now(UTC), data)
        handler(engine)([message])

    return hear


@pytest.fixture
def everything(engine: Engine, tenant_id: int) -> Callable[[], str]:
    """All that this tenant's tables hold."""
    tables = [table.name for table in Base.metadata.sorted_tables if "tenant_id" in table.c]

    def read() -> str:
        with engine.connect() as connection:
            found = [
                connection.execute(text(f"select * from {name} where tenant_id = :t"), {"t": tenant_id})
                for name in tables
            ]
            return "\n".join(str(row) for rows in found for row in rows)

    return read


@pytest.mark.parametrize("table", [table for table in Base.metadata.sorted_tables if "customer_id" in table.c])
def test_no_words_about_a_customer_are_kept_where_erasure_does_not_look(table: Table) -> None:
    words = {column.name for column in table.columns if isinstance(column.type, Text | JSONB)}
    assert table.name in OF_THE_SUITE or words - {"notes"} <= IMPERSONAL


def test_a_customers_words_go_and_his_redemptions_stay(
    call: Call, new_voucher: Call, redeem: Call, erase: Callable[[], None], everything: Callable[[], str]
) -> None:
    voucher = new_voucher(max_redemptions_per_customer=1)
    first = redeem(voucher, notes=NOTES, key="till-1")
    assert first.status_code == 201
    erase()
    assert [trace for trace in (NOTES, "alex@example.com", "Alex", "5551234567") if trace in everything()] == []
    order = {"customer_email": "alex@example.com", "order_amount": 45, "notes": NOTES}
    again = redeem(voucher, notes=NOTES, key="till-1")
    assert (again.status_code, again.json["data"]) == (201, {**first.json["data"], "notes": None})
    refused = call("POST", f"/vouchers/{voucher['id']}/redeem", order)
    assert refused.json["error"]["reason"] == "customer_not_found"
    assert call("GET", f"/vouchers/{voucher['id']}").json["data"]["redemptions_count"] == 1


def test_a_redemption_at_the_moment_of_erasure_is_without_words_or_refused(
    call: Call,
    know: Callable[..., None],
    person: Call,
    new_voucher: Call,
    erase: Callable[[], None],
    everything: Callable[[], str],
) -> None:
    know(person())
    path = f"/vouchers/{new_voucher()['id']}/redeem"
    start = threading.Barrier(9)

    def sell(till: int) -> Any:
        start.wait()
        return call("POST", path, {"customer_id": 1042, "order_amount": 45, "notes": f"{NOTES} {till}"})

    def erase_alex() -> None:
        start.wait()
        erase()

    with ThreadPoolExecutor(9) as pool:
        sales = [pool.submit(sell, till) for till in range(8)]
        pool.submit(erase_alex).result()
        answers = [sale.result() for sale in sales]
    refused = {answer.json["error"]["reason"] for answer in answers if answer.status_code == 400}
    assert refused <= {"customer_not_found"}
    assert NOTES not in everything()
