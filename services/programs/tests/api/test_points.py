from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

Call = Callable[..., Any]
Books = Callable[[], None]
Events = Callable[[], list[tuple[str, Any]]]
COUNTER_SALE = {"amount": 24.50, "currency": "USD", "reference": "POS-88421", "notes": "Counter sale"}


@pytest.fixture
def path(call: Call, alex: int, insider: Callable[..., int]) -> str:
    """The transactions of a card on which Alex has the bonus of 50."""
    card = insider()
    call("POST", f"/loyalty-cards/{card}/enrollments", {"customer_id": alex})
    return f"/loyalty-cards/{card}/transactions"


def test_a_purchase_is_credited_as_the_reference_shows(call: Call, alex: int, path: str) -> None:
    response = call("POST", path, {"customer_email": "alex@example.com", **COUNTER_SALE})
    assert response.status_code == 201
    row = response.json["data"]
    assert row == {
        "id": row["id"],
        "type": "earn",
        "customer_id": alex,
        "loyalty_card_id": int(path.split("/")[2]),
        "points_delta": 2,
        "points_balance_after": 52,
        "purchase_reference": "POS-88421",
        "occurred_at": row["recorded_at"],
        "recorded_at": row["recorded_at"],
        "enrollment_id": row["enrollment_id"],
        "amount": "24.50",
        "currency": "USD",
        "partner_location_id": None,
        "notes": "Counter sale",
        "source": "api",
        "expires_on": None,
        "reverses_transaction_id": None,
        "redemption_id": None,
        "reward_claim_id": None,
        "referral_id": None,
    }


def test_a_credit_is_published_once_with_its_customer(call: Call, path: str, events: Events, alex: int) -> None:
    row = call("POST", path, {"customer_id": alex, **COUNTER_SALE, "partner_location_id": 2}).json["data"]
    person = {"id": alex, "name": "Alex Rivera", "email": "alex@example.com", "phone": "+15551234567"}
    assert events()[2:] == [("loyalty.points_earned", {**row, "loyalty_reward_id": None, "customer": person})]


def test_a_purchase_that_earns_nothing_is_recorded_in_silence(
    call: Call, path: str, events: Events, books_balance: Books
) -> None:
    small = {"customer_id": 1042, "amount": 9.99, "currency": "USD", "reference": "POS-1"}
    response = call("POST", path, small)
    assert (response.status_code, response.json["data"]["points_delta"]) == (201, 0)
    assert len(events()) == 2
    assert call("POST", path, small).json["meta"]["duplicate"] is True
    books_balance()


@pytest.mark.parametrize(("points", "after"), [(25, 75), (-30, 20), (-50, 0), ("7", 57)])
def test_a_manual_adjustment_moves_the_balance(
    call: Call, path: str, books_balance: Books, points: Any, after: int
) -> None:
    row = call("POST", path, {"customer_id": 1042, "points": points}).json["data"]
    assert (row["type"], row["points_delta"], row["points_balance_after"]) == ("adjust", int(points), after)
    assert (row["amount"], row["currency"]) == (None, None)
    books_balance()


def test_a_positive_adjustment_is_earned_and_a_negative_one_updates_the_customer(
    call: Call, path: str, events: Events
) -> None:
    call("POST", path, {"customer_id": 1042, "points": 5})
    taken = call("POST", path, {"customer_id": 1042, "points": -5}).json["data"]
    (earned, _), (updated, data) = events()[2:]
    assert (earned, updated) == ("loyalty.points_earned", "customer.updated")
    assert (data["changed"], data["transaction"], data["id"]) == (["points_balance"], taken, 1042)
    assert data["enrollment"]["points_balance"] == 50
    assert data["stamp_transactions"] is data["voucher_redemption"] is data["erased_at"] is None


def test_an_adjustment_below_zero_changes_nothing(call: Call, path: str, events: Events, books_balance: Books) -> None:
    refused = call("POST", path, {"customer_id": 1042, "points": -51})
    assert (refused.status_code, refused.json["error"]["reason"]) == (400, "insufficient_points")
    assert list(refused.json["error"]["details"]) == ["points"]
    assert len(events()) == 2
    books_balance()


def test_points_that_expire_first_are_taken_first_and_it_is_written_down(
    call: Call, alex: int, insider: Callable[..., int], rows: Callable[[str], Any], books_balance: Books
) -> None:
    card = insider(points_expire_after_months=1)
    path = f"/loyalty-cards/{card}/transactions"
    call("POST", f"/loyalty-cards/{card}/enrollments", {"customer_id": alex})
    for points in (10, 20):
        call("POST", path, {"customer_id": alex, "points": points})
    for points in (-5, -60):
        call("POST", path, {"customer_id": alex, "points": points})
    lots = rows("select points_remaining from points_transactions where tenant_id = :tenant_id order by id")
    assert [lot.points_remaining for lot in lots] == [0, 0, 15, 0, 0]
    spends = "select points from lot_spends where tenant_id = :tenant_id order by transaction_id, lot_transaction_id"
    assert [spend.points for spend in rows(spends)] == [5, 45, 10, 5]
    books_balance()


def test_a_debt_is_paid_before_points_can_be_spent_again(
    call: Call, path: str, engine: Engine, tenant_id: int, rows: Callable[[str], Any]
) -> None:
    # As a refund of points that were spent already leaves it.
    with engine.begin() as connection:
        debt = text("update enrollments set points_balance = -30 where tenant_id = :tenant_id")
        connection.execute(debt, {"tenant_id": tenant_id})
    call("POST", path, {"customer_id": 1042, "points": 40})
    [lot] = rows("select points_remaining from points_transactions where tenant_id = :tenant_id and type = 'adjust'")
    assert lot.points_remaining == 10


def test_a_stranger_is_not_credited_unless_the_card_enrolls_by_itself(
    call: Call, alex: int, insider: Callable[..., int], events: Events, books_balance: Books
) -> None:
    refused = call("POST", f"/loyalty-cards/{insider()}/transactions", {"customer_id": alex, **COUNTER_SALE})
    assert refused.json["error"]["reason"] == "customer_not_enrolled"
    welcoming = f"/loyalty-cards/{insider(auto_enroll=True)}/transactions"
    row = call("POST", welcoming, {"customer_id": alex, **COUNTER_SALE}).json["data"]
    assert (row["type"], row["points_delta"], row["points_balance_after"]) == ("earn", 2, 52)
    assert sorted(name for name, _ in events()) == ["loyalty.enrolled", *["loyalty.points_earned"] * 2]
    enrolled = dict(events())["loyalty.enrolled"]
    assert enrolled["enrollment"]["points_balance"] == 50
    [bonus] = enrolled["initial_bonus_transactions"]
    assert bonus["id"] < row["id"], "the bonus comes first in the ledger"
    books_balance()


def test_a_suspended_member_is_refused_everything_that_moves_points(
    call: Call, path: str, engine: Engine, tenant_id: int
) -> None:
    with engine.begin() as connection:
        suspend = text("update enrollments set status = 'suspended' where tenant_id = :tenant_id")
        connection.execute(suspend, {"tenant_id": tenant_id})
    for command in (COUNTER_SALE, {"points": 5}):
        refused = call("POST", path, {"customer_id": 1042, **command})
        assert (refused.status_code, refused.json["error"]["reason"]) == (400, "enrollment_suspended")
    refused = call("POST", path.replace("transactions", "enrollments"), {"customer_id": 1042})
    assert refused.json["error"]["reason"] == "enrollment_suspended"
    assert call("GET", path).json["meta"]["total"] == 1


def test_a_purchase_in_another_currency_or_without_a_rule_is_refused(
    call: Call, path: str, insider: Callable[..., int]
) -> None:
    euros = call("POST", path, {"customer_id": 1042, **COUNTER_SALE, "currency": "EUR"})
    assert (euros.json["error"]["reason"], list(euros.json["error"]["details"])) == ("currency_mismatch", ["currency"])
    plain = insider(earn_spend_amount=None, earn_points=None)
    call("POST", f"/loyalty-cards/{plain}/enrollments", {"customer_id": 1042})
    refused = call("POST", f"/loyalty-cards/{plain}/transactions", {"customer_id": 1042, **COUNTER_SALE})
    assert refused.json["error"]["reason"] == "earn_rule_missing"


def test_a_balance_has_an_end_that_json_can_carry(call: Call, alex: int, insider: Callable[..., int]) -> None:
    generous = insider(earn_spend_amount="0.01", earn_points=10_000, auto_enroll=True)
    purchase = {"customer_id": alex, "amount": "9999999999.99", "currency": "USD"}
    refused = call("POST", f"/loyalty-cards/{generous}/transactions", purchase)
    assert (refused.status_code, list(refused.json["error"]["details"])) == (400, ["amount"])
