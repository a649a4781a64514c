"""Points are spent at a till."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

Call = Callable[..., Any]
Books = Callable[[], None]
Events = Callable[[], list[tuple[str, Any]]]
SPEND = {"customer_email": "alex@example.com", "points": 30, "reference": "POS-88430", "partner_location_id": 2}


@pytest.fixture
def path(call: Call, alex: int, insider: Callable[..., int]) -> str:
    """The redemptions of a card on which Alex has the bonus of 50."""
    card = insider(points_expire_after_months=12)
    call("POST", f"/loyalty-cards/{card}/enrollments", {"customer_id": alex})
    return f"/loyalty-cards/{card}/redemptions"


def test_points_are_redeemed_with_their_transaction(call: Call, alex: int, path: str, books_balance: Books) -> None:
    response = call("POST", path, SPEND)
    assert response.status_code == 201, response.text
    redemption = response.json["data"]
    card, at = int(path.split("/")[2]), redemption["created_at"]
    transaction = redemption.pop("transaction")
    assert redemption == {
        "id": redemption["id"],
        "customer_id": alex,
        "loyalty_card_id": card,
        "points": 30,
        "status": "redeemed",
        "reference": "POS-88430",
        "partner_location_id": 2,
        "notes": None,
        "redeemed_at": at,
        "reversed_at": None,
        "created_at": at,
    }
    assert (transaction["type"], transaction["points_delta"], transaction["points_balance_after"]) == (
        "redeem",
        -30,
        20,
    )
    assert (transaction["redemption_id"], transaction["purchase_reference"]) == (redemption["id"], "POS-88430")
    stored = call("GET", f"/loyalty-cards/{card}/transactions/{transaction['id']}")
    assert (stored.status_code, stored.json["data"]) == (200, transaction)
    books_balance()


def test_a_redemption_is_published_once_with_its_id(call: Call, path: str, events: Events) -> None:
    redemption = call("POST", path, SPEND).json["data"]
    person = {"id": 1042, "name": "Alex Rivera", "email": "alex@example.com", "phone": "+15551234567"}
    told = {**redemption["transaction"], "loyalty_reward_id": None, "customer": person, "source": "api"}
    assert events()[2:] == [("loyalty.points_redeemed", told)]
    assert told["redemption_id"] == redemption["id"]


def test_redeeming_more_than_the_balance_changes_nothing(call: Call, path: str, events: Events, rows: Any) -> None:
    refused = call("POST", path, {**SPEND, "points": 51})
    assert (refused.status_code, refused.json["error"]["reason"]) == (400, "insufficient_points")
    assert list(refused.json["error"]["details"]) == ["points"]
    assert len(events()) == 2
    assert rows("select 1 from redemptions where tenant_id = :tenant_id") == []


def test_the_same_redemption_happens_once_whatever_the_key(
    call: Call, path: str, events: Events, books_balance: Books
) -> None:
    first = call("POST", path, SPEND, key="till-1")
    again = call("POST", path, {**SPEND, "notes": "again"}, key="till-2")
    assert (again.status_code, again.json["data"]) == (200, first.json["data"])
    assert again.json["meta"]["duplicate"] is True
    assert "reversed" not in again.json["meta"]
    assert len(events()) == 3
    books_balance()


@pytest.mark.parametrize("other", [{"points": 29}, {"customer_email": "sam@example.com"}])
def test_a_reference_of_another_redemption_is_refused(
    call: Call, path: str, knows: Callable[..., int], other: dict[str, Any]
) -> None:
    knows(1050, "sam@example.com")
    call("POST", path.replace("redemptions", "enrollments"), {"customer_id": 1050})
    call("POST", path, SPEND)
    refused = call("POST", path, {**SPEND, **other})
    assert (refused.status_code, refused.json["error"]["reason"]) == (400, "duplicate_reference")


def test_the_receipt_that_earns_may_also_redeem(call: Call, path: str, books_balance: Books) -> None:
    sale = {"customer_id": 1042, "amount": 24.50, "currency": "USD", "reference": "POS-88430"}
    assert call("POST", path.replace("redemptions", "transactions"), sale).status_code == 201
    assert call("POST", path, SPEND).status_code == 201
    books_balance()


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"customer_id": 1042}, "points"),
        ({"customer_id": 1042, "points": 0}, "points"),
        ({"customer_id": 1042, "points": -3}, "points"),
        ({"customer_id": 1042, "points": 1.5}, "points"),
        ({"points": 5}, "customer_id"),
        ({"customer_id": 1042, "points": 5, "occurred_at": "2020-01-01T00:00:00Z"}, "occurred_at"),
    ],
)
def test_a_redemption_that_cannot_be_is_refused_under_its_field(
    call: Call, path: str, sent: dict[str, Any], field: str
) -> None:
    refused = call("POST", path, sent)
    assert (refused.status_code, list(refused.json["error"]["details"])) == (400, [field])


def test_who_is_no_member_cannot_redeem_even_where_purchases_enroll(
    call: Call, insider: Callable[..., int], alex: int
) -> None:
    refused = call("POST", f"/loyalty-cards/{insider(auto_enroll=True)}/redemptions", {**SPEND, "points": 1})
    assert (refused.status_code, refused.json["error"]["reason"]) == (400, "customer_not_enrolled")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("update loyalty_cards set is_active = false", "card_inactive"),
        ("update loyalty_cards set date_issued = '2020-01-01', expiry_date = '2020-02-01'", "card_expired"),
        ("update loyalty_cards set date_issued = '2999-01-01'", "card_not_yet_valid"),
        ("update enrollments set status = 'suspended'", "enrollment_suspended"),
    ],
)
def test_cards_and_enrollments_that_are_out_of_use_redeem_nothing(
    call: Call, path: str, engine: Engine, tenant_id: int, change: str, reason: str
) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"{change} where tenant_id = :tenant_id"), {"tenant_id": tenant_id})
    refused = call("POST", path, SPEND)
    assert (refused.status_code, refused.json["error"]["reason"]) == (400, reason)


def test_expired_points_are_not_spendable_before_the_job_has_written_them_off(
    call: Call, path: str, engine: Engine, tenant_id: int
) -> None:
    call("POST", path.replace("redemptions", "transactions"), {"customer_id": 1042, "points": 7})
    with engine.begin() as connection:
        expired = text(
            "update points_transactions set expires_on = :day where tenant_id = :tenant_id and type = 'bonus'"
        )
        connection.execute(expired, {"tenant_id": tenant_id, "day": datetime.now(UTC).date() - timedelta(days=2)})
    refused = call("POST", path, {**SPEND, "points": 8})
    assert (refused.status_code, refused.json["error"]["reason"]) == (400, "insufficient_points")
    assert refused.json["error"]["message"] == "The balance of 7 points is not enough."
    assert call("POST", path, {**SPEND, "points": 7}).json["data"]["transaction"]["points_balance_after"] == 50


def test_what_a_till_was_offline_for_is_redeemed_when_it_happened(call: Call, path: str) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat(timespec="seconds")
    refused = call("POST", path, {**SPEND, "occurred_at": yesterday})
    assert refused.json["error"]["reason"] == "card_not_yet_valid", "the card was issued today"
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    assert call("POST", path, {**SPEND, "occurred_at": moment}).json["data"]["redeemed_at"] == moment


def test_redemptions_are_listed_newest_first_and_filtered(
    call: Call, path: str, knows: Callable[..., int], books_balance: Books
) -> None:
    knows(1050, "sam@example.com")
    call("POST", path.replace("redemptions", "enrollments"), {"customer_id": 1050})
    made = [
        call("POST", path, {"customer_id": customer, "points": 5, "reference": f"POS-{number}"}).json["data"]
        for number, customer in enumerate((1042, 1050, 1042))
    ]
    today = datetime.now(UTC).date()
    for query, found in (
        ("", [2, 1, 0]),
        ("cursor=&per_page=2", [2, 1]),
        ("customer_id=1042", [2, 0]),
        ("customer_email=sam@example.com", [1]),
        ("reference=POS-1", [1]),
        ("status=redeemed", [2, 1, 0]),
        ("status=reversed", []),
        (f"from={today - timedelta(days=1)}&to={today + timedelta(days=1)}", [2, 1, 0]),
        (f"from={today + timedelta(days=2)}", []),
        (f"to={today - timedelta(days=2)}", []),
    ):
        response = call("GET", f"{path}?{query}")
        assert (response.status_code, response.json["data"]) == (200, [made[number] for number in found]), query


def test_redemptions_and_transactions_of_others_do_not_exist(
    call: Call, path: str, insider: Callable[..., int]
) -> None:
    transaction_id = call("POST", path, SPEND).json["data"]["transaction"]["id"]
    ledger = path.replace("redemptions", "transactions")
    assert call("GET", f"{ledger}/{transaction_id}").status_code == 200
    for method, gone, sent, tenant in (
        ("GET", path, None, 999_999),
        ("POST", path, SPEND, 999_999),
        ("GET", f"{ledger}/{transaction_id}", None, 999_999),
        ("GET", f"/loyalty-cards/{insider()}/transactions/{transaction_id}", None, 0),
        ("GET", f"{ledger}/{10**17}", None, 0),
    ):
        assert call(method, gone, sent, tenant=tenant).status_code == 404, gone
