"""A claim ends once: handed over, or taken back."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from loyalty_common.database import Transaction
from loyalty_programs.models import directory

Call = Callable[..., Any]
Events = Callable[[], list[tuple[str, Any]]]
Books = Callable[[], None]
ALEX = {"customer_id": 1042}


@pytest.fixture
def card(call: Call, alex: int, insider: Callable[..., int]) -> int:
    """Where Alex has 50 points that live twelve months."""
    card = insider(points_expire_after_months=12)
    call("POST", f"/loyalty-cards/{card}/enrollments", {"customer_id": alex})
    return card


@pytest.fixture
def pastry(reward: Callable[..., str]) -> str:
    return reward()


@pytest.fixture
def claimed(call: Call, pastry: str) -> dict[str, Any]:
    answer: dict[str, Any] = call("POST", f"{pastry}/claim", ALEX).json["data"]
    return answer


@pytest.fixture
def path(card: int, claimed: dict[str, Any]) -> str:
    return f"/loyalty-cards/{card}/claims/{claimed['claim']['id']}"


def refusal(response: Any) -> tuple[int, str]:
    return response.status_code, response.json["error"]["reason"]


def test_a_claim_is_handed_over(call: Call, path: str, claimed: dict[str, Any], events: Events) -> None:
    told = len(events())
    fulfilled = call("POST", f"{path}/fulfill", {"order_reference": "POS-88440", "partner_location_id": 2})
    claim = fulfilled.json["data"]
    ended = {"status": "fulfilled", "order_reference": "POS-88440", "partner_location_id": 2}
    assert fulfilled.status_code == 200
    assert claim == {**claimed["claim"], **ended, "fulfilled_at": claim["fulfilled_at"]}
    assert claim["fulfilled_at"] is not None
    assert call("GET", path).json["data"] == claim
    assert len(events()) == told


def test_the_till_that_lost_the_answer_gets_the_first_result(call: Call, path: str) -> None:
    first = call("POST", f"{path}/fulfill", {"order_reference": "POS-88440"})
    again = call("POST", f"{path}/fulfill", {"order_reference": "POS-88440", "partner_location_id": 2})
    assert (again.status_code, again.json["data"]) == (200, first.json["data"])
    assert again.json["meta"]["duplicate"] is True
    for other in ({"order_reference": "POS-88441"}, {}, None):
        assert refusal(call("POST", f"{path}/fulfill", other)) == (400, "claim_already_fulfilled")


def test_without_a_reference_nothing_says_that_it_is_the_same_order(call: Call, path: str) -> None:
    assert call("POST", f"{path}/fulfill").status_code == 200
    for again in (None, {}, {"order_reference": "POS-1"}):
        assert refusal(call("POST", f"{path}/fulfill", again)) == (400, "claim_already_fulfilled")


def test_a_claim_is_handed_over_where_it_was_made_if_nothing_else_is_said(call: Call, pastry: str) -> None:
    claim = call("POST", f"{pastry}/claim", {**ALEX, "partner_location_id": 2}).json["data"]["claim"]
    path = f"/loyalty-cards/{claim['loyalty_card_id']}/claims/{claim['id']}"
    assert call("POST", f"{path}/fulfill").json["data"]["partner_location_id"] == 2


def test_what_is_paid_is_handed_over_whatever_became_of_card_and_member(
    call: Call, card: int, pastry: str, path: str
) -> None:
    [member] = call("GET", f"/loyalty-cards/{card}/enrollments").json["data"]
    other = call("POST", f"{pastry}/claim", ALEX).json["data"]["claim"]["id"]
    call("PATCH", f"/loyalty-cards/{card}/enrollments/{member['id']}", {"status": "suspended"})
    call("PATCH", f"/loyalty-cards/{card}", {"is_active": False})
    call("PATCH", pastry, {"is_active": False})
    assert call("POST", f"{path}/fulfill").status_code == 200
    assert call("POST", f"/loyalty-cards/{card}/claims/{other}/cancel").status_code == 200


def test_claims_of_an_erased_customer_still_come_to_their_end(
    call: Call, card: int, pastry: str, path: str, engine: Engine, tenant_id: int, books_balance: Books
) -> None:
    other = call("POST", f"{pastry}/claim", ALEX).json["data"]["claim"]["id"]
    with engine.begin() as connection:
        erased = {"customer": None, "customer_id": 1042, "version": 2, "erased_at": "2026-06-01T09:00:00+00:00"}
        directory.learn_customer(Transaction(connection, tenant_id), **erased)
    assert call("POST", f"{path}/fulfill").status_code == 200
    cancelled = call("POST", f"/loyalty-cards/{card}/claims/{other}/cancel")
    assert (cancelled.status_code, cancelled.json["data"]["transaction"]["points_balance_after"]) == (200, 30)
    books_balance()


def test_a_cancelled_claim_gives_points_and_piece_back(
    call: Call, pastry: str, path: str, claimed: dict[str, Any], events: Events, books_balance: Books
) -> None:
    told = len(events())
    cancelled = call("POST", f"{path}/cancel")
    claim, transaction = cancelled.json["data"]["claim"], cancelled.json["data"]["transaction"]
    assert cancelled.status_code == 200
    assert claim == {**claimed["claim"], "status": "cancelled", "cancelled_at": claim["cancelled_at"]}
    assert call("GET", path).json["data"] == claim
    assert (
        transaction
        | {
            "type": "reverse",
            "points_delta": 20,
            "points_balance_after": 50,
            "purchase_reference": None,
            "amount": None,
            "expires_on": None,
            "reward_claim_id": claim["id"],
            "reverses_transaction_id": claimed["transaction"]["id"],
        }
        == transaction
    )
    assert call("GET", pastry).json["data"]["quantity_left"] == 100
    [(name, data)] = events()[told:]
    assert (name, data["changed"], data["transaction"]) == ("customer.updated", ["points_balance"], transaction)
    assert data["enrollment"]["points_balance"] == 50
    books_balance()


def test_points_given_back_keep_their_old_expiry(
    call: Call, card: int, claimed: dict[str, Any], path: str, rows: Callable[[str], Any], books_balance: Books
) -> None:
    lots = (
        "select points_remaining, expires_on from points_transactions where tenant_id = :tenant_id and type = 'bonus'"
    )
    [before] = rows(lots)
    call("PATCH", f"/loyalty-cards/{card}", {"points_expire_after_months": 1})
    call("POST", f"{path}/cancel")
    [after] = rows(lots)
    assert (before.points_remaining, after.points_remaining) == (30, 50)
    assert after.expires_on == before.expires_on
    books_balance()


def test_points_given_back_pay_a_debt_first(call: Call, card: int, path: str, books_balance: Books) -> None:
    purchase = {**ALEX, "amount": 400, "currency": "USD", "reference": "POS-1"}
    earned = call("POST", f"/loyalty-cards/{card}/transactions", purchase).json["data"]
    call("POST", f"/loyalty-cards/{card}/transactions", {**ALEX, "points": -70})
    reversed_ = call("POST", f"/loyalty-cards/{card}/transactions/{earned['id']}/reverse")
    assert reversed_.json["data"]["points_balance_after"] == -40
    assert call("POST", f"{path}/cancel").json["data"]["transaction"]["points_balance_after"] == -20
    books_balance()


def test_a_claim_is_cancelled_once_and_not_after_it_was_handed_over(
    call: Call, card: int, pastry: str, path: str, books_balance: Books
) -> None:
    call("POST", f"{path}/cancel")
    assert refusal(call("POST", f"{path}/cancel")) == (400, "claim_already_cancelled")
    assert refusal(call("POST", f"{path}/fulfill", {"order_reference": "POS-1"})) == (400, "claim_already_cancelled")
    other = f"/loyalty-cards/{card}/claims/{call('POST', f'{pastry}/claim', ALEX).json['data']['claim']['id']}"
    call("POST", f"{other}/fulfill")
    assert refusal(call("POST", f"{other}/cancel")) == (400, "claim_already_fulfilled")
    assert call("GET", pastry).json["data"]["quantity_left"] == 99
    books_balance()


@pytest.mark.parametrize("action", ["fulfill", "cancel"])
def test_an_end_is_answered_again_by_its_key(call: Call, path: str, action: str, events: Events) -> None:
    first = call("POST", f"{path}/{action}", key="k")
    told = len(events())
    again = call("POST", f"{path}/{action}", key="k")
    assert (again.status_code, again.json["data"]) == (200, first.json["data"])
    assert (again.headers["Idempotent-Replayed"], len(events())) == ("true", told)


def test_the_debit_of_a_claim_cannot_be_reversed_by_itself(
    call: Call, card: int, claimed: dict[str, Any], books_balance: Books
) -> None:
    reversed_ = call("POST", f"/loyalty-cards/{card}/transactions/{claimed['transaction']['id']}/reverse")
    assert refusal(reversed_) == (400, "not_reversible")
    books_balance()


@pytest.mark.parametrize(
    "sent", [{"order_reference": 5}, {"partner_location_id": "here"}, {"order_reference": "x" * 256}]
)
def test_an_end_that_makes_no_sense_is_refused_under_its_field(call: Call, path: str, sent: dict[str, Any]) -> None:
    refused = call("POST", f"{path}/fulfill", sent)
    assert (refused.status_code, list(refused.json["error"]["details"])) == (400, list(sent))
    assert call("GET", path).json["data"]["status"] == "claimed"
