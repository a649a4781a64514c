"""Merchants take transactions back."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

Call = Callable[..., Any]
Books = Callable[[], None]
Events = Callable[[], list[tuple[str, Any]]]
SALE = {"customer_id": 1042, "amount": 24.50, "currency": "USD", "reference": "POS-88421"}


@pytest.fixture
def path(call: Call, alex: int, insider: Callable[..., int]) -> str:
    """The transactions of a card on which Alex has the bonus of 50."""
    card = insider()
    call("POST", f"/loyalty-cards/{card}/enrollments", {"customer_id": alex})
    return f"/loyalty-cards/{card}/transactions"


@pytest.fixture
def change(engine: Engine, tenant_id: int) -> Callable[[str], None]:
    """``change("update enrollments set status = 'suspended'")``, of this tenant."""

    def execute(statement: str) -> None:
        with engine.begin() as connection:
            connection.execute(text(f"{statement} where tenant_id = :tenant_id"), {"tenant_id": tenant_id})

    return execute


def refused(response: Any) -> tuple[int, str | None, list[str]]:
    error = response.json["error"]
    return response.status_code, error["reason"], list(error["details"])


def test_a_purchase_is_refunded_in_parts_as_the_contract_shows(
    call: Call, path: str, books_balance: Books, events: Events
) -> None:
    sale = call("POST", path, SALE).json["data"]
    refund = f"{path}/{sale['id']}/reverse"
    first = call("POST", refund, {"amount": 5.00, "reference": "REF-1", "notes": "Cold"})
    assert first.status_code == 201, first.text
    row = first.json["data"]
    assert row == {
        **sale,
        "id": row["id"],
        "type": "reverse",
        "points_delta": -1,
        "points_balance_after": 51,
        "purchase_reference": "REF-1",
        "occurred_at": row["recorded_at"],
        "recorded_at": row["recorded_at"],
        "amount": "5.00",
        "notes": "Cold",
        "reverses_transaction_id": sale["id"],
    }
    assert call("POST", refund, {"amount": 10}).json["data"]["points_delta"] == -1
    assert refused(call("POST", refund, {"amount": "9.51"})) == (400, "refund_exceeds_purchase", ["amount"])
    last = call("POST", refund)
    assert (last.status_code, last.json["data"]["points_delta"], last.json["data"]["amount"]) == (201, 0, "9.50")
    assert refused(call("POST", refund)) == (400, "already_reversed", [])
    assert [name for name, _ in events()[3:]] == ["customer.updated"] * 2, "a delta of 0 is no change"
    books_balance()


def test_a_reversal_is_published_as_a_change_of_the_balance(call: Call, path: str, events: Events) -> None:
    sale = call("POST", path, SALE).json["data"]
    row = call("POST", f"{path}/{sale['id']}/reverse").json["data"]
    name, told = events()[-1]
    assert (name, told["changed"], told["transaction"]) == ("customer.updated", ["points_balance"], row)
    assert told["enrollment"]["points_balance"] == 50


def test_a_refund_goes_by_the_rule_of_the_purchase_not_by_that_of_today(
    call: Call, path: str, change: Callable[[str], None], books_balance: Books
) -> None:
    sale = call("POST", path, SALE).json["data"]
    change("update loyalty_cards set earn_spend_amount = 1, earn_points = 7")
    assert call("POST", f"{path}/{sale['id']}/reverse", {"amount": 4.49}).json["data"]["points_delta"] == 0
    assert call("POST", f"{path}/{sale['id']}/reverse").json["data"]["points_delta"] == -2
    books_balance()


def test_a_refund_takes_the_points_of_its_own_purchase_although_older_ones_are_there(
    call: Call, path: str, rows: Any
) -> None:
    sale = call("POST", path, SALE).json["data"]
    call("POST", f"{path}/{sale['id']}/reverse")
    lots = rows("select type, points_remaining from points_transactions where tenant_id = :tenant_id order by id")
    assert [(lot.type, lot.points_remaining) for lot in lots[:2]] == [("bonus", 50), ("earn", 0)]


@pytest.mark.parametrize(("amount", "parts"), [(24.50, [-1, -1]), (9.99, [0, 0]), (30, [-1, -2])])
def test_a_purchase_of_before_rules_were_kept_gives_back_what_it_earned(
    call: Call, path: str, change: Callable[[str], None], books_balance: Books, amount: float, parts: list[int]
) -> None:
    sale = call("POST", path, {**SALE, "amount": amount}).json["data"]
    change("update points_transactions set earn_spend_amount = null, earn_points = null")
    refunds = [call("POST", f"{path}/{sale['id']}/reverse", order).json["data"] for order in ({"amount": 5}, {})]
    assert [row["points_delta"] for row in refunds] == parts
    books_balance()


def test_points_that_are_spent_become_a_debt_which_the_next_purchase_pays(
    call: Call, path: str, books_balance: Books
) -> None:
    sale = call("POST", path, SALE).json["data"]
    call("POST", path.replace("transactions", "redemptions"), {"customer_id": 1042, "points": 52})
    assert call("POST", f"{path}/{sale['id']}/reverse").json["data"]["points_balance_after"] == -2
    books_balance()
    assert call("POST", path, {"customer_id": 1042, "points": 5}).json["data"]["points_balance_after"] == 3
    books_balance()


def test_a_card_whose_floor_is_zero_lets_go_what_is_spent(
    call: Call, path: str, change: Callable[[str], None], books_balance: Books, events: Events
) -> None:
    change("update loyalty_cards set refund_floor = 'zero'")
    sale = call("POST", path, SALE).json["data"]
    call("POST", path.replace("transactions", "redemptions"), {"customer_id": 1042, "points": 51})
    told = len(events())
    assert call("POST", f"{path}/{sale['id']}/reverse", {"amount": 5}).json["data"]["points_balance_after"] == 0
    assert call("POST", f"{path}/{sale['id']}/reverse").json["data"]["points_delta"] == 0
    assert len(events()) == told + 1
    books_balance()


def test_a_redemption_is_given_back_to_its_lots_and_says_so(
    call: Call, path: str, rows: Any, books_balance: Books, events: Events
) -> None:
    spending = path.replace("transactions", "redemptions")
    sent = {"customer_id": 1042, "points": 30, "reference": "POS-88430"}
    redemption = call("POST", spending, sent).json["data"]
    row = call("POST", f"{path}/{redemption['transaction']['id']}/reverse", {"reference": "REF-2"}).json["data"]
    assert (row["points_delta"], row["points_balance_after"], row["redemption_id"]) == (30, 50, redemption["id"])
    lots = rows("select type, points_remaining from points_transactions where tenant_id = :tenant_id order by id")
    assert [(lot.type, lot.points_remaining) for lot in lots] == [("bonus", 50), ("redeem", 0), ("reverse", 0)]
    [listed] = call("GET", f"{spending}?status=reversed").json["data"]
    assert listed == {**redemption, "status": "reversed", "reversed_at": row["recorded_at"]}
    again = call("POST", spending, sent)
    assert (again.status_code, again.json["data"]) == (200, listed)
    assert (again.json["meta"]["duplicate"], again.json["meta"]["reversed"]) == (True, True)
    assert events()[-1][0] == "customer.updated"
    assert refused(call("POST", f"{path}/{redemption['transaction']['id']}/reverse")) == (400, "already_reversed", [])
    books_balance()


def test_a_repeated_purchase_says_that_it_was_reversed_but_not_that_a_part_was(call: Call, path: str) -> None:
    sale = call("POST", path, SALE).json["data"]
    call("POST", f"{path}/{sale['id']}/reverse", {"amount": 5})
    assert "reversed" not in call("POST", path, SALE).json["meta"]
    call("POST", f"{path}/{sale['id']}/reverse")
    again = call("POST", path, SALE)
    assert (again.status_code, again.json["data"]) == (200, sale)
    assert (again.json["meta"]["duplicate"], again.json["meta"]["reversed"]) == (True, True)


def test_adjustments_and_bonuses_are_reversed_as_a_whole(call: Call, path: str, books_balance: Books) -> None:
    bonus = call("GET", f"{path}?type=bonus").json["data"][0]
    given, taken = (call("POST", path, {"customer_id": 1042, "points": points}).json["data"] for points in (7, -9))
    for row, points in ((given, -7), (taken, 9), (bonus, -50)):
        assert refused(call("POST", f"{path}/{row['id']}/reverse", {"amount": 1})) == (400, None, ["amount"])
        response = call("POST", f"{path}/{row['id']}/reverse", {})
        assert (response.status_code, response.json["data"]["points_delta"]) == (201, points)
        assert (response.json["data"]["amount"], response.json["data"]["currency"]) == (None, None)
        books_balance()
        assert refused(call("POST", f"{path}/{row['id']}/reverse")) == (400, "already_reversed", [])
        assert refused(call("POST", f"{path}/{response.json['data']['id']}/reverse"))[1] == "not_reversible"


def test_a_refund_with_more_decimals_than_its_currency_is_refused(call: Call, path: str) -> None:
    sale = call("POST", path, SALE).json["data"]
    for amount in ("1.005", 0, -1, "x"):
        assert refused(call("POST", f"{path}/{sale['id']}/reverse", {"amount": amount})) == (400, None, ["amount"])


def test_the_same_refund_happens_once_whatever_the_key(call: Call, path: str, books_balance: Books) -> None:
    sale = call("POST", path, SALE).json["data"]
    refund, order = f"{path}/{sale['id']}/reverse", {"amount": 5, "reference": "REF-1"}
    first = call("POST", refund, order, key="till-1")
    again = call("POST", refund, order, key="till-2")
    assert (again.status_code, again.json["data"], again.json["meta"]["duplicate"]) == (200, first.json["data"], True)
    whole = call("POST", refund, {"reference": "REF-2"})
    assert call("POST", refund, {"reference": "REF-2"}).json["data"] == whole.json["data"]
    assert call("POST", refund, order).json["data"] == first.json["data"], "also when nothing is left"
    books_balance()


def test_a_refund_reference_of_another_refund_is_refused(call: Call, path: str) -> None:
    sale, other = (call("POST", path, {**SALE, "reference": name}).json["data"] for name in ("POS-1", "POS-2"))
    call("POST", f"{path}/{sale['id']}/reverse", {"amount": 5, "reference": "POS-1"})
    for row, order in ((sale, {"amount": 6}), (sale, {}), (other, {"amount": 5}), (other, {})):
        response = call("POST", f"{path}/{row['id']}/reverse", {**order, "reference": "POS-1"})
        assert refused(response) == (400, "duplicate_reference", ["reference"])


@pytest.mark.parametrize(
    "ended",
    [
        "update loyalty_cards set is_active = false",
        "update loyalty_cards set date_issued = '2020-01-01', expiry_date = '2020-02-01'",
        "update enrollments set status = 'suspended'",
        "update customer_directory set profile = null, email = null, erased_at = now()",
    ],
)
def test_a_refund_is_owed_whatever_became_of_the_card_and_the_customer(
    call: Call, path: str, change: Callable[[str], None], ended: str, books_balance: Books
) -> None:
    sale = call("POST", path, SALE).json["data"]
    change(ended)
    assert call("POST", f"{path}/{sale['id']}/reverse").json["data"]["points_delta"] == -2
    books_balance()


def test_transactions_of_others_cannot_be_reversed(call: Call, path: str, insider: Callable[..., int]) -> None:
    sale = call("POST", path, SALE).json["data"]
    for target, tenant in (
        (f"{path}/{sale['id']}", 999_999),
        (f"/loyalty-cards/{insider()}/transactions/{sale['id']}", 0),
        (f"{path}/{10**17}", 0),
    ):
        for order in ({}, {"amount": "x"}):
            assert call("POST", f"{target}/reverse", order, tenant=tenant).status_code == 404
