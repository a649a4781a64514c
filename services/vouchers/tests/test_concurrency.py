"""Tills that do the same thing at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, event, text

from loyalty_vouchers.models import Voucher

Call = Callable[..., Any]


def at_once(tills: int, redeem: Callable[[int], Any]) -> list[Any]:
    """The answers of so many tills that start together."""
    ready = Barrier(tills)

    def start(till: int) -> Any:
        ready.wait(timeout=30)
        return redeem(till)

    with ThreadPoolExecutor(tills) as pool:
        return list(pool.map(start, range(tills)))


def count(engine: Engine, tenant_id: int, table: str) -> int:
    with engine.connect() as connection:
        statement = text(f"select count(*) from {table} where tenant_id = :tenant_id")
        return int(connection.execute(statement, {"tenant_id": tenant_id}).scalar_one())


def test_forty_tills_racing_for_the_last_use_find_one_winner(
    new_voucher: Call, redeem: Call, call: Call, engine: Engine, tenant_id: int
) -> None:
    # More than one race: in the first, tills still wait for their connections and rarely meet.
    vouchers = [new_voucher(max_redemptions=1) for _ in range(4)]
    for voucher in vouchers:
        answers = at_once(40, lambda till, voucher=voucher: redeem(voucher, order_reference=f"POS-{till}"))
        assert sorted(answer.status_code for answer in answers) == [201] + [400] * 39
        reasons = {answer.json["error"]["reason"] for answer in answers if answer.status_code == 400}
        assert reasons == {"voucher_limit_reached"}
        assert call("GET", f"/vouchers/{voucher['id']}").json["data"]["redemptions_count"] == 1
    assert count(engine, tenant_id, "redemptions") == count(engine, tenant_id, "outbox") == len(vouchers)


def test_forty_tills_racing_for_one_customers_two_uses_find_two_winners(new_voucher: Call, redeem: Call) -> None:
    voucher = new_voucher(max_redemptions_per_customer=2)
    answers = at_once(40, lambda _: redeem(voucher))
    assert sorted(answer.status_code for answer in answers) == [201] * 2 + [400] * 38


@pytest.mark.parametrize("max_redemptions", [None, 50])
def test_fifty_repetitions_of_one_request_redeem_once(
    max_redemptions: int | None, new_voucher: Call, redeem: Call, engine: Engine, tenant_id: int
) -> None:
    voucher = new_voucher(max_redemptions=max_redemptions)
    answers = at_once(50, lambda _: redeem(voucher, key="checkout-1"))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json["data"]["id"] for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    assert count(engine, tenant_id, "redemptions") == count(engine, tenant_id, "outbox") == 1


@pytest.mark.parametrize("max_redemptions", [None, 50])
def test_fifty_tills_with_one_order_reference_redeem_once(
    max_redemptions: int | None, new_voucher: Call, redeem: Call, engine: Engine, tenant_id: int
) -> None:
    voucher = new_voucher(max_redemptions=max_redemptions)
    answers = at_once(50, lambda till: redeem(voucher, key=f"till-{till}", order_reference="POS-88423"))
    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [201]
    assert len({answer.json["data"]["id"] for answer in answers}) == 1
    assert all(answer.json["meta"].get("duplicate") is (answer.status_code == 200 or None) for answer in answers)
    assert count(engine, tenant_id, "redemptions") == count(engine, tenant_id, "outbox") == 1


def test_an_unlimited_voucher_is_redeemed_and_counted_without_waiting_for_its_row(
    new_voucher: Call, redeem: Call, call: Call, engine: Engine
) -> None:
    voucher = new_voucher()
    with engine.begin() as somebody_else:
        row = Voucher.__table__.select().where(Voucher.id == voucher["id"]).with_for_update()
        assert somebody_else.execute(row).one()
        answers = at_once(20, lambda _: redeem(voucher))
    assert {answer.status_code for answer in answers} == {201}
    assert call("GET", f"/vouchers/{voucher['id']}").json["data"]["redemptions_count"] == 20


def test_a_limit_set_between_lock_and_load_is_decided_under_the_lock(
    new_voucher: Call, redeem: Call, app: Flask, engine: Engine
) -> None:
    voucher = new_voucher()
    locks: list[str] = []

    def limit_it_after_the_first_lock(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if "FOR UPDATE" in statement:
            locks.append(statement)
        if locks == [statement]:
            with engine.begin() as merchant:
                merchant.execute(text("update vouchers set max_redemptions = 1 where id = :id"), {"id": voucher["id"]})

    service = app.extensions["engine"]
    event.listen(service, "after_cursor_execute", limit_it_after_the_first_lock)
    try:
        assert redeem(voucher).status_code == 201
    finally:
        event.remove(service, "after_cursor_execute", limit_it_after_the_first_lock)
    assert len(locks) == 2
    assert redeem(voucher).json["error"]["reason"] == "voucher_limit_reached"


def test_twenty_merchants_creating_one_code_at_once_make_one_voucher(new_voucher: Call, call: Call) -> None:
    voucher = new_voucher()
    sent = {name: voucher[name] for name in ("name", "partner_location_id", "discount_type", "discount_value")}
    answers = at_once(20, lambda _: call("POST", "/vouchers", {**sent, "voucher_code": "SPRING20"}))
    assert sorted(answer.status_code for answer in answers) == [201] + [400] * 19


@pytest.mark.parametrize("by_code", [False, True])
@pytest.mark.parametrize("voucher_settings", [{}, {"max_redemptions": 9}, {"max_redemptions_per_customer": 9}])
def test_a_redemption_is_three_statements_and_a_commit(
    voucher_settings: dict[str, int], by_code: bool, new_voucher: Call, redeem: Call, call: Call, app: Flask
) -> None:
    voucher = new_voucher(voucher_code="SPRING20", **voucher_settings)
    redeem(voucher)
    order = {"customer_id": 1042, "order_amount": 45, "order_reference": "POS-1", "partner_location_id": 2}
    sent: list[str] = []
    service = app.extensions["engine"]
    listeners = [
        ("before_cursor_execute", lambda connection, cursor, statement, *_: sent.append(statement)),
        ("commit", lambda connection: sent.append("COMMIT")),
        ("rollback", lambda connection: sent.append("ROLLBACK")),
    ]
    for name, listener in listeners:
        event.listen(service, name, listener)
    try:
        if by_code:
            answer = call("POST", "/vouchers/redeem", {**order, "voucher_code": "spring20"})
        else:
            answer = redeem(voucher, **order)
        assert answer.status_code == 201
    finally:
        for name, listener in listeners:
            event.remove(service, name, listener)
    assert len(sent) == 4
    assert sent[-1] == "COMMIT"
