"""Many tills at once, with real threads on real PostgreSQL."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

Call = Callable[..., Any]
Books = Callable[[], None]
SALE = {"customer_email": "alex@example.com", "amount": 24.50, "currency": "USD"}


def at_once(attempts: Iterable[Any], act: Callable[[Any], Any]) -> list[Any]:
    attempts = list(attempts)
    with ThreadPoolExecutor(len(attempts)) as tills:
        return list(tills.map(act, attempts))


@pytest.fixture
def card(call: Call, alex: int, insider: Callable[..., int]) -> int:
    return insider(auto_enroll=True)


def test_fifty_repetitions_of_one_request_are_one_purchase(
    call: Call, card: int, books_balance: Books, rows: Callable[[str], Any]
) -> None:
    path = f"/loyalty-cards/{card}/transactions"
    answers = at_once(range(50), lambda _: call("POST", path, SALE, key="POS-1"))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json["data"]["id"] for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    assert len(rows("select 1 from points_transactions where tenant_id = :tenant_id and type = 'earn'")) == 1
    books_balance()


def test_fifty_keys_with_one_reference_are_one_purchase(
    call: Call, card: int, books_balance: Books, rows: Callable[[str], Any]
) -> None:
    call("POST", f"/loyalty-cards/{card}/enrollments", {"customer_email": "alex@example.com"})
    sale, path = {**SALE, "reference": "POS-88421"}, f"/loyalty-cards/{card}/transactions"
    answers = at_once(range(50), lambda till: call("POST", path, sale, key=f"till-{till}"))
    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [201]
    assert len({answer.json["data"]["id"] for answer in answers}) == 1
    assert len(rows("select 1 from points_transactions where tenant_id = :tenant_id and type = 'earn'")) == 1
    books_balance()


def test_one_reference_for_two_customers_at_once_is_one_of_theirs(
    call: Call, card: int, knows: Callable[..., int], books_balance: Books
) -> None:
    for customer in range(2000, 2020):
        knows(customer, f"c{customer}@example.com")
    sale = {"amount": 24.50, "currency": "USD", "reference": "POS-88421"}
    path = f"/loyalty-cards/{card}/transactions"
    answers = at_once(range(2000, 2020), lambda customer: call("POST", path, {**sale, "customer_id": customer}))
    assert sorted(answer.status_code for answer in answers) == [201] + [400] * 19
    assert {answer.json["error"]["reason"] for answer in answers if answer.status_code == 400} == {
        "duplicate_reference"
    }
    books_balance()


def test_first_purchases_that_race_enroll_once_and_lose_nothing(
    call: Call, card: int, knows: Callable[..., int], books_balance: Books, rows: Callable[[str], Any]
) -> None:
    newcomers = [knows(customer, f"c{customer}@example.com") for customer in range(3000, 3030)]
    path = f"/loyalty-cards/{card}/transactions"
    answers = at_once(
        [customer for customer in newcomers for _ in range(2)],
        lambda customer: call("POST", path, {"customer_id": customer, "amount": 24.50, "currency": "USD"}),
    )
    assert {answer.status_code for answer in answers} == {201}
    balances = rows("select points_balance from enrollments where tenant_id = :tenant_id")
    assert [row.points_balance for row in balances] == [54] * 30, "one bonus and two purchases each"
    assert len(rows("select 1 from outbox where tenant_id = :tenant_id and event = 'loyalty.enrolled'")) == 30
    books_balance()


def test_enrolling_and_buying_at_once_is_one_membership(
    call: Call, card: int, books_balance: Books, rows: Callable[[str], Any]
) -> None:
    base = f"/loyalty-cards/{card}"
    requests = [(f"{base}/enrollments", {"customer_id": 1042}), (f"{base}/transactions", SALE)] * 20
    answers = at_once(requests, lambda request: call("POST", *request))
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len(rows("select 1 from enrollments where tenant_id = :tenant_id")) == 1
    assert len(rows("select 1 from points_transactions where tenant_id = :tenant_id and type = 'bonus'")) == 1
    books_balance()


def test_purchases_and_withdrawals_at_once_never_overdraw(call: Call, card: int, books_balance: Books) -> None:
    path = f"/loyalty-cards/{card}/transactions"
    call("POST", f"/loyalty-cards/{card}/enrollments", {"customer_id": 1042})
    commands = [{"points": -15}, {"points": 2}] * 20
    answers = at_once(commands, lambda command: call("POST", path, {"customer_id": 1042, **command}))
    assert {answer.status_code for answer in answers} <= {201, 400}
    taken = [a for a in answers if a.status_code == 201 and a.json["data"]["points_delta"] < 0]
    assert 3 <= len(taken) <= 6, "90 points are there in the end, 50 at the beginning"
    assert all(answer.json["data"]["points_balance_after"] >= 0 for answer in taken)
    books_balance()


def test_one_purchase_reversed_from_twenty_tills_is_reversed_once(
    call: Call, card: int, books_balance: Books, rows: Callable[[str], Any]
) -> None:
    path = f"/loyalty-cards/{card}/transactions"
    sale = call("POST", path, SALE).json["data"]
    answers = at_once(range(20), lambda _: call("POST", f"{path}/{sale['id']}/reverse"))
    assert sorted(answer.status_code for answer in answers) == [201] + [400] * 19
    assert {answer.json["error"]["reason"] for answer in answers if answer.status_code == 400} == {"already_reversed"}
    assert len(rows("select 1 from points_transactions where tenant_id = :tenant_id and type = 'reverse'")) == 1
    books_balance()


def test_partial_refunds_at_once_never_exceed_the_purchase(
    call: Call, card: int, books_balance: Books, rows: Callable[[str], Any]
) -> None:
    path = f"/loyalty-cards/{card}/transactions"
    sale = call("POST", path, SALE).json["data"]
    answers = at_once(range(12), lambda _: call("POST", f"{path}/{sale['id']}/reverse", {"amount": 5}))
    assert sorted(answer.status_code for answer in answers) == [201] * 4 + [400] * 8
    [given] = rows(
        "select sum(points_delta) as back from points_transactions where tenant_id = :tenant_id and amount=5"
    )
    assert given.back == -2, "4.50 are left, which earn nothing"
    books_balance()


def test_reversals_and_redemptions_at_once_keep_lots_and_balance_together(
    call: Call, card: int, books_balance: Books
) -> None:
    base = f"/loyalty-cards/{card}"
    call("POST", f"{base}/enrollments", {"customer_id": 1042})
    sales = [call("POST", f"{base}/transactions", SALE).json["data"]["id"] for _ in range(6)]
    spent = [call("POST", f"{base}/redemptions", {"customer_id": 1042, "points": 9}).json["data"] for _ in range(4)]
    requests = [(f"{base}/transactions/{sale}/reverse", {}) for sale in sales]
    requests += [(f"{base}/transactions/{redemption['transaction']['id']}/reverse", {}) for redemption in spent]
    requests += [(f"{base}/redemptions", {"customer_id": 1042, "points": 11})] * 6
    answers = at_once(requests, lambda request: call("POST", *request))
    assert [answer.status_code for answer in answers[:10]] == [201] * 10
    assert {answer.status_code for answer in answers[10:]} <= {201, 400}
    books_balance()


def test_the_last_points_are_redeemed_once(call: Call, card: int, books_balance: Books) -> None:
    base = f"/loyalty-cards/{card}"
    call("POST", f"{base}/enrollments", {"customer_id": 1042})
    answers = at_once(range(20), lambda _: call("POST", f"{base}/redemptions", {"customer_id": 1042, "points": 50}))
    assert sorted(answer.status_code for answer in answers) == [201] + [400] * 19
    books_balance()


def test_ids_order_the_ledger_under_contention(call: Call, card: int, rows: Callable[[str], Any]) -> None:
    call("POST", f"/loyalty-cards/{card}/enrollments", {"customer_id": 1042})
    path = f"/loyalty-cards/{card}/transactions"
    at_once(range(40), lambda _: call("POST", path, {"customer_id": 1042, "points": 1}))
    ledger = rows("select points_balance_after from points_transactions where tenant_id = :tenant_id order by id")
    assert [row.points_balance_after for row in ledger] == list(range(50, 91))


def test_changes_of_different_settings_at_once_all_stand(call: Call, card: int) -> None:
    changes = [{"name": "Night Points"}, {"earn_points": 3}, {"initial_bonus_points": 7}, {"refund_floor": "zero"}]
    answers = at_once(changes * 5, lambda change: call("PATCH", f"/loyalty-cards/{card}", change))
    assert {answer.status_code for answer in answers} == {200}
    shown = call("GET", f"/loyalty-cards/{card}").json["data"]
    assert all(shown | change == shown for change in changes)


def test_suspending_a_member_from_twenty_desks_at_once_says_so_once(
    call: Call, card: int, rows: Callable[[str], Any]
) -> None:
    path = f"/loyalty-cards/{card}"
    member = call("POST", f"{path}/enrollments", {"customer_id": 1042}).json["data"]["enrollment"]["id"]
    suspend = ("PATCH", f"{path}/enrollments/{member}", {"status": "suspended"})
    answers = at_once([suspend, ("POST", f"{path}/transactions", SALE)] * 20, lambda request: call(*request))
    assert {answer.status_code for answer in answers} <= {200, 201, 400}
    refused = [answer.json["error"]["reason"] for answer in answers if answer.status_code == 400]
    assert set(refused) <= {"enrollment_suspended"}
    assert len(rows("select 1 from outbox where tenant_id = :tenant_id and event = 'customer.updated'")) == 1
    [stored] = rows("select points_balance from enrollments where tenant_id = :tenant_id")
    assert stored.points_balance == 50 + 2 * (20 - len(refused))


def test_stamps_that_race_are_all_counted_and_unlock_every_reward(
    call: Call, alex: int, coffee_club: Callable[..., int], rows: Callable[[str], Any]
) -> None:
    path = f"/stamp-cards/{coffee_club()}/stamps"
    answers = at_once(range(45), lambda _: call("POST", path, {"customer_id": alex}))
    assert {answer.status_code for answer in answers} == {201}
    [membership] = rows("select stamps_balance from stamp_memberships where tenant_id = :tenant_id")
    assert membership.stamps_balance == 5
    assert len(rows("select 1 from stamp_rewards where tenant_id = :tenant_id")) == 4
    balance = 0
    for row in rows("select * from stamp_transactions where tenant_id = :tenant_id order by id"):
        balance += row.stamps_delta
        assert row.stamps_balance_after == balance


def test_one_receipt_stamps_once_from_fifty_tills(
    call: Call, alex: int, coffee_club: Callable[..., int], rows: Callable[[str], Any]
) -> None:
    path, latte = f"/stamp-cards/{coffee_club()}/stamps", {"customer_id": alex, "reference": "POS-1"}
    answers = at_once(range(50), lambda till: call("POST", path, latte, key=f"till-{till}"))
    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [201]
    assert len(rows("select 1 from stamp_transactions where tenant_id = :tenant_id")) == 1
    assert len(rows("select 1 from outbox where tenant_id = :tenant_id")) == 1
