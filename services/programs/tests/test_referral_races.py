"""Friends, referrers and merchants at once: each milestone is paid once, and nobody waits for each other."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from flask.testing import FlaskClient
from sqlalchemy import event

Call = Callable[..., Any]
Books = Callable[[], None]
Rows = Callable[[str], Any]
Program = Callable[..., dict[str, Any]]
Refer = Callable[..., dict[str, Any]]
COMPLETED = "select payload from outbox where tenant_id = :tenant_id and event = 'referral.completed'"
BALANCES = "select loyalty_card_id, customer_id, points_balance from enrollments where tenant_id = :tenant_id"


def at_once(attempts: Iterable[Any], act: Callable[[Any], Any]) -> list[Any]:
    attempts = list(attempts)
    with ThreadPoolExecutor(len(attempts)) as tills:
        return list(tills.map(act, attempts))


@pytest.fixture(autouse=True)
def deadlocks(client: FlaskClient) -> Iterator[None]:
    """None is met, not even one that is overcome by running again."""
    met: list[Any] = []

    def note(context: Any) -> None:
        if isinstance(context.original_exception, psycopg.errors.DeadlockDetected):
            met.append(context.original_exception)

    engine = client.application.extensions["engine"]
    event.listen(engine, "handle_error", note)
    yield
    event.remove(engine, "handle_error", note)
    assert met == []


def card_of(program: dict[str, Any]) -> str:
    return f"/loyalty-cards/{program['loyalty_card_id']}"


def sale(customer: int, amount: float = 1) -> dict[str, Any]:
    return {"customer_id": customer, "amount": amount, "currency": "USD"}


def test_twenty_purchases_at_once_cross_a_count_once(
    call: Call, alex: int, sam: int, bring_a_friend: Program, refer: Refer, rows: Rows, books_balance: Books
) -> None:
    program = bring_a_friend([{"type": "purchase_count", "count": 10}, {"type": "amount_spent", "amount": 15}])
    refer(program, alex, sam)
    call("POST", f"{card_of(program)}/enrollments", {"customer_id": sam})
    answers = at_once(range(20), lambda _: call("POST", f"{card_of(program)}/transactions", sale(sam)))
    assert {answer.status_code for answer in answers} == {201}
    [referral] = rows("select status, milestones from referrals where tenant_id = :tenant_id")
    assert [milestone["progress"] for milestone in referral.milestones] == ["10", "15.00"], "none got lost"
    assert referral.status == "completed"
    assert len(rows(COMPLETED)) == 2
    assert sorted(row.points_balance for row in rows(BALANCES)) == [100, 200]
    books_balance()


def test_two_milestones_at_once_pay_both_bonuses(
    call: Call, alex: int, knows: Callable[..., int], bring_a_friend: Program, refer: Refer, rows: Rows,
    books_balance: Books,
) -> None:  # fmt: skip
    program = bring_a_friend([{"type": "first_purchase"}, {"type": "custom"}])
    friends = [knows(customer, f"c{customer}@example.com") for customer in range(2000, 2010)]
    requests = []
    for friend in friends:
        referral = refer(program, alex, friend)
        call("POST", f"{card_of(program)}/enrollments", {"customer_id": friend})
        complete = f"/referral-programs/{program['id']}/referrals/{referral['id']}/complete"
        requests += [(complete, None), (f"{card_of(program)}/transactions", sale(friend))]
    requests += [(f"{card_of(program)}/transactions", sale(alex))] * 10
    answers = at_once(requests, lambda request: call("POST", *request))
    assert {answer.status_code for answer in answers} == {200, 201}
    assert len(rows(COMPLETED)) == 20
    balances = {row.customer_id: row.points_balance for row in rows(BALANCES)}
    assert balances == {alex: 2000, **dict.fromkeys(friends, 100)}
    books_balance()


def test_a_milestone_that_is_completed_from_ten_tills_is_paid_once(
    call: Call, alex: int, sam: int, bring_a_friend: Program, refer: Refer, rows: Rows, books_balance: Books
) -> None:
    program = bring_a_friend([{"type": "custom"}])
    referral = refer(program, alex, sam)
    call("POST", f"{card_of(program)}/enrollments", {"customer_id": sam})
    complete = f"/referral-programs/{program['id']}/referrals/{referral['id']}/complete"
    answers = at_once(range(10), lambda _: call("POST", complete))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 9
    refused = {answer.json["error"]["reason"] for answer in answers if answer.status_code == 400}
    assert refused == {"milestone_already_completed"}
    assert len(rows(COMPLETED)) == 1
    books_balance()


def test_repetitions_of_the_purchase_that_meets_a_milestone_pay_once(
    call: Call, alex: int, sam: int, insider: Callable[..., int], bring_a_friend: Program, refer: Refer, rows: Rows,
    books_balance: Books,
) -> None:  # fmt: skip
    card = insider(auto_enroll=True, initial_bonus_points=0)
    program = bring_a_friend([{"type": "enrolled"}, {"type": "first_purchase"}], card=card)
    refer(program, alex, sam)
    path = f"{card_of(program)}/transactions"
    keys = [{"key": "POS-1"}, {"key": "POS-2"}, {}] * 10
    answers = at_once(keys, lambda key: call("POST", path, {**sale(sam), "reference": "POS-88421"}, **key))
    assert {answer.status_code for answer in answers} == {200, 201}
    assert len({answer.json["data"]["id"] for answer in answers}) == 1
    assert len(rows(COMPLETED)) == 2
    assert {row.customer_id: row.points_balance for row in rows(BALANCES)} == {alex: 200, sam: 100}
    books_balance()


def test_friends_who_refer_each_other_and_others_never_wait_for_each_other(
    call: Call, alex: int, sam: int, knows: Callable[..., int], bring_a_friend: Program, refer: Refer, rows: Rows,
    books_balance: Books,
) -> None:  # fmt: skip
    goals = [{"type": "purchase_count", "count": 5}]
    there, back = bring_a_friend(goals), bring_a_friend(goals)
    kim = knows(1060, "kim@example.com")
    for program, referrer, friend in ((there, alex, sam), (back, sam, alex), (there, sam, kim)):
        refer(program, referrer, friend)
        call("POST", f"{card_of(program)}/enrollments", {"customer_id": friend})
    buyers = [(card, customer) for card in (there, back) for customer in (alex, sam)] + [(there, kim)]
    answers = at_once(buyers * 8, lambda buyer: call("POST", f"{card_of(buyer[0])}/transactions", sale(buyer[1])))
    assert {answer.status_code for answer in answers} == {201}
    assert len(rows(COMPLETED)) == 3
    balances = {(row.loyalty_card_id, row.customer_id): row.points_balance for row in rows(BALANCES)}
    first, second = there["loyalty_card_id"], back["loyalty_card_id"]
    assert balances == {
        (first, alex): 100,
        (first, sam): 150,
        (first, kim): 50,
        (second, sam): 100,
        (second, alex): 50,
    }
    books_balance()


def test_who_is_enrolled_and_referred_at_once_was_one_of_them_first(
    call: Call, alex: int, knows: Callable[..., int], bring_a_friend: Program, rows: Rows, books_balance: Books
) -> None:
    program = bring_a_friend([{"type": "enrolled"}])
    path, card = f"/referral-programs/{program['id']}", card_of(program)
    call("POST", f"{card}/enrollments", {"customer_id": alex})
    code = call("POST", f"{path}/codes", {"customer_id": alex}).json["data"]["referral_code"]
    friends = [knows(customer, f"c{customer}@example.com") for customer in range(3000, 3020)]
    requests = [
        request
        for friend in friends
        for request in (
            (f"{path}/referrals", {"referral_code": code, "customer_id": friend}),
            (f"{card}/enrollments", {"customer_id": friend}),
        )
    ]
    answers = at_once(requests, lambda request: call("POST", *request))
    referred, enrolled = answers[::2], answers[1::2]
    assert {answer.status_code for answer in enrolled} == {201}
    late = [answer.json["error"]["reason"] for answer in referred if answer.status_code == 400]
    assert set(late) <= {"customer_not_new"}
    brought = len(friends) - len(late)
    assert len(rows(COMPLETED)) == brought, "whoever was referred first completed it by enrolling"
    assert sum(row.points_balance for row in rows(BALANCES)) == 150 * brought
    books_balance()


def test_a_friend_of_two_is_referred_by_one_of_them(
    call: Call, alex: int, sam: int, knows: Callable[..., int], bring_a_friend: Program
) -> None:
    program = bring_a_friend([{"type": "enrolled"}])
    path = f"/referral-programs/{program['id']}"
    for customer in (alex, sam):
        call("POST", f"{card_of(program)}/enrollments", {"customer_id": customer})
    answers = at_once([alex, sam] * 10, lambda customer: call("POST", f"{path}/codes", {"customer_id": customer}))
    assert sorted(answer.status_code for answer in answers) == [200] * 18 + [201] * 2
    codes = {answer.json["data"]["referral_code"] for answer in answers}
    assert len(codes) == 2
    kim = knows(1060, "kim@example.com")
    sent = [{"referral_code": code, "customer_id": kim} for code in codes] * 10
    answers = at_once(sent, lambda body: call("POST", f"{path}/referrals", body))
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201] + [400] * 10
    refused = {answer.json["error"]["reason"] for answer in answers if answer.status_code == 400}
    assert refused == {"already_referred"}
