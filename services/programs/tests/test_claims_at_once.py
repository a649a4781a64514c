"""Many claims at once, with real threads on real PostgreSQL: stock, limits, points and ends hold.

All of them are held up at a row first: otherwise the first would be done before the last begins.
"""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, text

Call = Callable[..., Any]
Books = Callable[[], None]
Rows = Callable[[str], Any]
Queue = Callable[..., list[Any]]
CROWD = range(2000, 2040)


@pytest.fixture
def queued_at(engine: Engine, tenant_id: int) -> Queue:
    """``queued_at("loyalty_rewards", attempts, act)``: none goes on before all of them wait for a row of that table."""
    waiting = text(
        "select count(*) from pg_stat_activity where datname = current_database()"
        " and application_name = 'programs serve' and wait_event_type = 'Lock'"
    )

    def act_at_once(table: str, attempts: Iterable[Any], act: Callable[[Any], Any]) -> list[Any]:
        attempts = list(attempts)
        watch = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        with ThreadPoolExecutor(len(attempts)) as tills, watch, engine.connect() as holder:
            holder.execute(text(f"select 1 from {table} where tenant_id = :t for update"), {"t": tenant_id})
            answers = [tills.submit(act, attempt) for attempt in attempts]
            deadline = time.monotonic() + 9
            while watch.execute(waiting).scalar_one() < len(attempts):
                assert time.monotonic() < deadline, "somebody did not come to the queue"
                time.sleep(0.01)
            holder.rollback()
        return [answer.result() for answer in answers]

    return act_at_once


def reasons(answers: Iterable[Any]) -> set[str]:
    return {answer.json["error"]["reason"] for answer in answers if answer.status_code == 400}


@pytest.fixture
def card(call: Call, alex: int, insider: Callable[..., int]) -> int:
    """Where Alex has 50 points."""
    card = insider()
    call("POST", f"/loyalty-cards/{card}/enrollments", {"customer_id": alex})
    return card


@pytest.fixture
def stock_adds_up(rows: Rows) -> Callable[[], None]:
    """Asserts of every reward: what it counts are its claims that are not cancelled."""

    def check() -> None:
        for found in rows(_STOCK):
            assert found.claimed_count == found.claims, found

    return check


_STOCK = """
    select r.claimed_count, count(c.id) as claims from loyalty_rewards r
    left join reward_claims c
        on c.tenant_id = r.tenant_id and c.loyalty_reward_id = r.id and c.status <> 'cancelled'
    where r.tenant_id = :tenant_id group by r.id, r.claimed_count
"""


def test_of_forty_customers_one_gets_the_last_piece(
    call: Call,
    card: int,
    reward: Callable[..., str],
    knows: Callable[..., int],
    queued_at: Queue,
    books_balance: Books,
    stock_adds_up: Callable[[], None],
) -> None:
    for customer in CROWD:
        knows(customer, f"c{customer}@example.com")
        call("POST", f"/loyalty-cards/{card}/enrollments", {"customer_id": customer})
    pastry = reward(quantity=1)
    answers = queued_at(
        "loyalty_rewards", CROWD, lambda customer: call("POST", f"{pastry}/claim", {"customer_id": customer})
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [400] * 39
    assert reasons(answers) == {"reward_out_of_stock"}
    assert call("GET", pastry).json["data"]["quantity_left"] == 0
    assert call("GET", f"/loyalty-cards/{card}/claims").json["meta"]["total"] == 1
    books_balance()
    stock_adds_up()


def test_a_customer_who_claims_twenty_times_at_once_gets_what_the_reward_allows(
    call: Call,
    reward: Callable[..., str],
    queued_at: Queue,
    books_balance: Books,
    stock_adds_up: Callable[[], None],
) -> None:
    pastry = reward(points_cost=1, max_claims_per_customer=3)
    answers = queued_at("enrollments", range(20), lambda _: call("POST", f"{pastry}/claim", {"customer_id": 1042}))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [400] * 17
    assert reasons(answers) == {"reward_limit_reached"}
    books_balance()
    stock_adds_up()


def test_points_are_spent_once_however_many_rewards_are_claimed_with_them(
    call: Call, queued_at: Queue, reward: Callable[..., str], books_balance: Books, stock_adds_up: Callable[[], None]
) -> None:
    rewards = [reward(points_cost=20), reward(points_cost=20)] * 10
    answers = queued_at("enrollments", rewards, lambda one: call("POST", f"{one}/claim", {"customer_id": 1042}))
    assert sorted(answer.status_code for answer in answers) == [201] * 2 + [400] * 18
    assert reasons(answers) == {"insufficient_points"}
    books_balance()
    stock_adds_up()


def test_claims_and_cancellations_at_once_lose_neither_piece_nor_point(
    call: Call,
    queued_at: Queue,
    card: int,
    reward: Callable[..., str],
    books_balance: Books,
    stock_adds_up: Callable[[], None],
) -> None:
    pastry = reward(points_cost=10, quantity=4)
    claims = [call("POST", f"{pastry}/claim", {"customer_id": 1042}).json["data"]["claim"]["id"] for _ in range(4)]
    cancels = [f"/loyalty-cards/{card}/claims/{claim}/cancel" for claim in claims]
    attempts = [*cancels, *[f"{pastry}/claim"] * 12, *cancels]
    answers = queued_at("enrollments", attempts, lambda path: call("POST", path, {"customer_id": 1042}))
    assert {answer.status_code for answer in answers} <= {200, 201, 400}
    assert reasons(answers) <= {"reward_out_of_stock", "claim_already_cancelled"}
    assert sum(answer.status_code == 200 for answer in answers) == 4
    taken = sum(answer.status_code == 201 for answer in answers)
    shown = call("GET", pastry).json["data"]
    assert shown["quantity_left"] == 4 - taken
    books_balance()
    stock_adds_up()


@pytest.mark.parametrize(("refund_floor", "debt"), [("negative", -20), ("zero", 0)])
def test_a_claim_and_the_refund_of_what_paid_for_it_at_once_leave_a_debt_or_no_claim(
    call: Call,
    queued_at: Queue,
    insider: Callable[..., int],
    alex: int,
    books_balance: Books,
    refund_floor: str,
    debt: int,
) -> None:
    card = f"/loyalty-cards/{insider(initial_bonus_points=0, auto_enroll=True, refund_floor=refund_floor)}"
    reward = call("POST", f"{card}/rewards", {"title": "Free pastry", "points_cost": 20}).json["data"]["id"]
    purchase = {"customer_id": alex, "amount": 200, "currency": "USD"}
    for round_ in range(6):
        earned = call("POST", f"{card}/transactions", purchase).json["data"]
        claim, refund = f"{card}/rewards/{reward}/claim", f"{card}/transactions/{earned['id']}/reverse"
        claims, refunds = [claim] * (1 + round_ % 3), [refund] * 3
        answers = queued_at("enrollments", [*claims, *refunds], lambda path: call("POST", path, {"customer_id": alex}))
        claimed = [answer for answer in answers[: len(claims)] if answer.status_code == 201]
        assert sorted(answer.status_code for answer in answers[len(claims) :]) == [201, 400, 400]
        assert reasons(answers) <= {"insufficient_points", "already_reversed"}
        [member] = call("GET", f"{card}/enrollments").json["data"]
        assert member["points_balance"] == (debt if claimed else 0)
        assert len(claimed) <= 1
        books_balance()
        if member["points_balance"]:
            call("POST", f"{card}/transactions", {"customer_id": alex, "points": -debt})


def test_a_claim_that_is_cancelled_twice_at_once_gives_its_points_back_once(
    call: Call,
    queued_at: Queue,
    card: int,
    reward: Callable[..., str],
    rows: Rows,
    books_balance: Books,
    stock_adds_up: Callable[[], None],
) -> None:
    claim = call("POST", f"{reward(quantity=5)}/claim", {"customer_id": 1042}).json["data"]["claim"]["id"]
    path = f"/loyalty-cards/{card}/claims/{claim}/cancel"
    answers = queued_at("enrollments", range(20), lambda _: call("POST", path))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 19
    assert reasons(answers) == {"claim_already_cancelled"}
    [member] = rows("select points_balance from enrollments where tenant_id = :tenant_id")
    assert member.points_balance == 50
    books_balance()
    stock_adds_up()


def test_a_claim_is_either_handed_over_or_taken_back(
    call: Call,
    queued_at: Queue,
    card: int,
    reward: Callable[..., str],
    rows: Rows,
    books_balance: Books,
    stock_adds_up: Callable[[], None],
) -> None:
    pastry = reward(points_cost=1, quantity=20)
    for round_ in range(5):
        claim = call("POST", f"{pastry}/claim", {"customer_id": 1042}).json["data"]["claim"]["id"]
        paths = [f"/loyalty-cards/{card}/claims/{claim}/{end}" for end in ("fulfill", "cancel")] * 5
        answers = queued_at("enrollments", paths, lambda path: call("POST", path))
        assert sorted(answer.status_code for answer in answers) == [200] + [400] * 9, round_
        assert len(reasons(answers)) == 1
    books_balance()
    stock_adds_up()


def test_a_reward_that_is_fulfilled_from_many_tills_for_one_order_is_handed_over_once(
    call: Call, queued_at: Queue, card: int, reward: Callable[..., str]
) -> None:
    claim = call("POST", f"{reward()}/claim", {"customer_id": 1042}).json["data"]["claim"]["id"]
    path, order = f"/loyalty-cards/{card}/claims/{claim}/fulfill", {"order_reference": "POS-88440"}
    answers = queued_at("enrollments", range(20), lambda till: call("POST", path, order, key=f"till-{till}"))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json["data"]["fulfilled_at"] for answer in answers}) == 1
    assert sum("duplicate" not in answer.json["meta"] for answer in answers) == 1


def test_a_quantity_that_shrinks_while_it_is_claimed_never_falls_below_the_claims(
    call: Call, queued_at: Queue, reward: Callable[..., str], books_balance: Books, stock_adds_up: Callable[[], None]
) -> None:
    pastry = reward(points_cost=1, quantity=20)
    attempts = [("POST", f"{pastry}/claim", {"customer_id": 1042}), ("PATCH", pastry, {"quantity": 5})] * 10
    answers = queued_at("loyalty_rewards", attempts, lambda attempt: call(*attempt))
    assert {answer.status_code for answer in answers} <= {200, 201, 400}
    assert reasons(answers) <= {"reward_out_of_stock", None}
    shown = call("GET", pastry).json["data"]
    assert shown["quantity_left"] == shown["quantity"] - sum(answer.status_code == 201 for answer in answers) >= 0
    books_balance()
    stock_adds_up()
