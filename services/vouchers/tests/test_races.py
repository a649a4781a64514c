"""Merchants and tills that meet at one voucher: changes, rollbacks and batches at the same moment as redemptions."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, event, text

Call = Callable[..., Any]


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Their answers, in order; all start together."""
    ready = Barrier(len(acts))

    def start(act: Callable[[], Any]) -> Any:
        ready.wait(timeout=30)
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(start, acts))


def standing(engine: Engine, voucher: dict[str, Any]) -> int:
    with engine.connect() as connection:
        counted = text("select count(*) from redemptions where voucher_id = :id and rolled_back_at is null")
        return int(connection.execute(counted, {"id": voucher["id"]}).scalar_one())


def waiting(engine: Engine, tills: int) -> None:
    """Returns once so many sessions of this database wait for a lock."""
    query = text(
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    )
    while True:
        with engine.connect() as connection:
            if connection.execute(query).scalar_one() >= tills:
                return


@pytest.fixture
def roll_back(call: Call) -> Call:
    def post(redemption: dict[str, Any]) -> Any:
        return call("POST", f"/vouchers/{redemption['voucher_id']}/redemptions/{redemption['id']}/rollback")

    return post


def test_a_limit_that_is_set_while_tills_redeem_is_never_exceeded(
    new_voucher: Call, redeem: Call, call: Call, engine: Engine
) -> None:
    for _ in range(4):
        voucher = new_voucher()
        limit = lambda voucher=voucher: call("PATCH", f"/vouchers/{voucher['id']}", {"max_redemptions": 12})  # noqa: E731
        till = lambda voucher=voucher: redeem(voucher)  # noqa: E731
        answers = at_once(*[till] * 20, limit, *[till] * 20)
        assert answers[20].status_code == 200
        redeemed = sum(answer.status_code == 201 for answer in answers)
        # Those before the limit may be more; nobody is let in after it beyond it.
        shown = answers[20].json["data"]["redemptions_count"]
        assert redeemed == standing(engine, voucher) == max(12, shown)


def test_a_limit_counts_the_till_that_found_none_and_has_not_committed_yet(
    new_voucher: Call, redeem: Call, call: Call, app: Flask, engine: Engine
) -> None:
    voucher = new_voucher()
    loaded, go_on = Event(), Event()

    def hold_the_first_before_it_records(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if "INSERT INTO redemptions" in statement and not loaded.is_set():
            loaded.set()
            assert go_on.wait(timeout=30)

    service = app.extensions["engine"]
    event.listen(service, "before_cursor_execute", hold_the_first_before_it_records)
    try:
        with ThreadPoolExecutor(3) as pool:
            first = pool.submit(redeem, voucher)
            assert loaded.wait(timeout=30)
            limit = pool.submit(call, "PATCH", f"/vouchers/{voucher['id']}", {"max_redemptions": 1})
            waiting(engine, 1)
            second = pool.submit(redeem, voucher)
            waiting(engine, 2)
            go_on.set()
            answers = [future.result() for future in (first, limit, second)]
    finally:
        event.remove(service, "before_cursor_execute", hold_the_first_before_it_records)
    assert [answer.status_code for answer in answers] == [201, 200, 400]
    assert answers[1].json["data"]["redemptions_count"] == standing(engine, voucher) == 1


def test_what_was_switched_off_is_redeemed_by_nobody_afterwards(new_voucher: Call, redeem: Call, call: Call) -> None:
    voucher = new_voucher()
    off = lambda: call("PATCH", f"/vouchers/{voucher['id']}", {"is_active": False})  # noqa: E731
    at_once(*[lambda: redeem(voucher)] * 10, off, *[lambda: redeem(voucher)] * 10)
    count = call("GET", f"/vouchers/{voucher['id']}").json["data"]["redemptions_count"]
    assert redeem(voucher).json["error"]["reason"] == "voucher_inactive"
    assert call("GET", f"/vouchers/{voucher['id']}").json["data"]["redemptions_count"] == count


def test_twenty_merchants_changing_different_settings_at_once_lose_none(new_voucher: Call, call: Call) -> None:
    voucher = new_voucher()
    changes = [{"name": "Summer"}, {"max_redemptions": 7}, {"is_active": False}, {"discount_value": 25}] * 5
    path = f"/vouchers/{voucher['id']}"
    answers = at_once(*[lambda sent=sent: call("PATCH", path, sent) for sent in changes])
    assert {answer.status_code for answer in answers} == {200}
    wanted = {"name": "Summer", "max_redemptions": 7, "is_active": False, "discount_value": "25.00"}
    stored = call("GET", path).json["data"]
    assert stored | wanted == stored


def test_two_vouchers_that_take_one_code_at_once_find_one_winner(new_voucher: Call, call: Call) -> None:
    ids = [new_voucher()["id"] for _ in range(10)]
    answers = at_once(*[lambda id_=id_: call("PATCH", f"/vouchers/{id_}", {"voucher_code": "X"}) for id_ in ids])
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 9
    assert {tuple(a.json["error"]["details"]) for a in answers if a.status_code == 400} == {("voucher_code",)}


def test_twenty_rollbacks_of_one_redemption_give_one_use_back(
    new_voucher: Call, redeem: Call, roll_back: Call, call: Call, engine: Engine, tenant_id: int
) -> None:
    voucher = new_voucher(max_redemptions=2)
    redeem(voucher)
    redemption = redeem(voucher).json["data"]
    answers = at_once(*[lambda: roll_back(redemption)] * 20)
    assert {answer.status_code for answer in answers} == {200}
    assert sum("duplicate" not in answer.json["meta"] for answer in answers) == 1
    assert call("GET", f"/vouchers/{voucher['id']}").json["data"]["redemptions_count"] == 1
    with engine.connect() as connection:
        told = text("select count(*) from outbox where tenant_id = :tenant_id and event = 'customer.updated'")
        assert connection.execute(told, {"tenant_id": tenant_id}).scalar_one() == 1


def test_a_use_that_is_given_back_while_tills_race_for_it_is_taken_once(
    new_voucher: Call, redeem: Call, roll_back: Call, engine: Engine
) -> None:
    for _ in range(4):
        voucher = new_voucher(max_redemptions=1)
        redemption = redeem(voucher, order_reference="POS-1").json["data"]
        tills = [
            lambda till=till, voucher=voucher: redeem(voucher, order_reference=f"POS-{till}") for till in range(2, 22)
        ]
        answers = at_once(*tills[:10], lambda redemption=redemption: roll_back(redemption), *tills[10:])
        won = sum(answer.status_code == 201 for answer in answers)
        assert won == standing(engine, voucher) <= 1
        refused = {answer.json["error"]["reason"] for answer in answers if answer.status_code == 400}
        assert refused == {"voucher_limit_reached"}


def test_an_order_that_is_rolled_back_while_it_is_repeated_stands_once_or_not_at_all(
    new_voucher: Call, redeem: Call, roll_back: Call, engine: Engine
) -> None:
    for _ in range(4):
        voucher = new_voucher()
        redemption = redeem(voucher, order_reference="POS-1").json["data"]
        tills = [lambda voucher=voucher: redeem(voucher, order_reference="POS-1")] * 10
        answers = at_once(*tills, lambda redemption=redemption: roll_back(redemption), *tills)
        assert {answer.status_code for answer in answers} <= {200, 201}
        assert sum(answer.status_code == 201 for answer in answers) == standing(engine, voucher) <= 1


def test_an_order_that_is_rolled_back_before_its_repetition_is_answered_is_redeemed_anew(
    new_voucher: Call, redeem: Call, roll_back: Call, app: Flask
) -> None:
    voucher = new_voucher()
    first = redeem(voucher, order_reference="POS-1").json["data"]
    between = []

    def roll_back_before_it_is_read(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("SELECT redemptions.") and not between:
            between.append(statement)
            with ThreadPoolExecutor(1) as merchant:
                assert merchant.submit(roll_back, first).result().status_code == 200

    service = app.extensions["engine"]
    event.listen(service, "before_cursor_execute", roll_back_before_it_is_read)
    try:
        again = redeem(voucher, order_reference="POS-1")
    finally:
        event.remove(service, "before_cursor_execute", roll_back_before_it_is_read)
    assert between
    assert (again.status_code, again.json["data"]["status"]) == (201, "redeemed")
    assert again.json["data"]["id"] != first["id"]


def test_ten_requests_with_one_key_make_one_batch(call: Call, new_voucher: Call) -> None:
    new_voucher()
    sent = {"name": "May", "quantity": 50, "partner_location_id": 2, "discount_type": "fixed", "discount_value": 5}
    answers = at_once(*[lambda: call("POST", "/voucher-batches", sent, key="k")] * 10)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json["data"]["id"] for answer in answers}) == 1
    assert call("GET", "/vouchers").json["meta"]["total"] == 51


def test_batches_that_draw_from_the_same_codes_at_once_share_none(call: Call, new_voucher: Call) -> None:
    new_voucher()
    kind = {"partner_location_id": 2, "discount_type": "fixed", "discount_value": 5, "code_length": 2}
    answers = at_once(
        *[lambda: call("POST", "/voucher-batches", {**kind, "name": "May", "quantity": 10, "code_prefix": "M"})] * 12
    )
    assert {answer.status_code for answer in answers} == {201}
    assert call("GET", "/vouchers").json["meta"]["total"] == 121
