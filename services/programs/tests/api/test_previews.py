"""A till asks what would happen, and why."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, text

Call = Callable[..., Any]
SALE = {"customer_id": 1042, "amount": 24.50, "currency": "USD"}


@pytest.fixture
def card(insider: Callable[..., int]) -> str:
    return f"/loyalty-cards/{insider(expiry_date='2999-12-31')}"


@pytest.fixture
def path(call: Call, alex: int, card: str) -> str:
    call("POST", f"{card}/enrollments", {"customer_id": alex})
    return f"{card}/transactions"


def outcome(response: Any) -> tuple[bool, str | None, int, int, int]:
    assert response.status_code == 200, response.text
    told = response.json["data"]
    balances = told["points_balance_before"], told["points_balance_after"]
    return told["allowed"], told["reason"], told["points_delta"], *balances


def failed(response: Any) -> list[tuple[str, str]]:
    return [(rule["rule"], rule["message"]) for rule in response.json["data"]["rules"] if not rule["passed"]]


def test_a_purchase_is_explained_rule_by_rule(call: Call, path: str, rows: Any) -> None:
    today = datetime.now(UTC).astimezone(ZoneInfo("America/New_York")).date()
    [member] = rows("select member_number from enrollments where tenant_id = :tenant_id")
    assert call("POST", f"{path}/preview", SALE).json["data"] == {
        "allowed": True,
        "reason": None,
        "type": "earn",
        "points_delta": 2,
        "points_balance_before": 50,
        "points_balance_after": 52,
        "would_enroll": False,
        "rules": [
            {"rule": "card_active", "passed": True, "message": "Insider Points is active."},
            {
                "rule": "card_window",
                "passed": True,
                "message": f"{today} lies between {today} and 2999-12-31 (America/New_York).",
            },
            {"rule": "customer_enrolled", "passed": True, "message": f"Member {member.member_number}, active."},
            {"rule": "currency", "passed": True, "message": "USD is the card's currency."},
            {
                "rule": "earn",
                "passed": True,
                "message": "24.50 holds 2 whole steps of 10.00; 2 × 1 point = 2.",
            },
        ],
    }


def test_a_preview_leaves_nothing_behind(call: Call, path: str, rows: Any) -> None:
    tables = ("points_transactions", "outbox", "idempotency", "enrollments")
    counts = [len(rows(f"select 1 from {table} where tenant_id = :tenant_id")) for table in tables]
    first = call("POST", f"{path}/preview", {**SALE, "reference": "POS-1"}, key="k")
    assert call("POST", f"{path}/preview", {**SALE, "reference": "POS-1"}, key="k").json["data"] == first.json["data"]
    assert [len(rows(f"select 1 from {table} where tenant_id = :tenant_id")) for table in tables] == counts
    assert call("POST", path, {**SALE, "reference": "POS-1"}, key="k").status_code == 201, "the key is still free"


@pytest.mark.parametrize(
    ("change", "sent", "reason", "rules"),
    [
        ("update loyalty_cards set is_active = false", SALE, "card_inactive", ["card_active"]),
        ("update loyalty_cards set date_issued = '2999-01-01'", SALE, "card_not_yet_valid", ["card_window"]),
        ("update enrollments set status = 'suspended'", SALE, "enrollment_suspended", ["customer_enrolled"]),
        ("", {**SALE, "currency": "EUR"}, "currency_mismatch", ["currency", "earn"]),
        ("", {"customer_id": 1042, "points": -51}, "insufficient_points", ["balance"]),
        ("update enrollments set points_balance = 9007199254740990", SALE, None, ["earn"]),
    ],
)
def test_a_refusal_is_explained_as_the_write_would_give_it(
    call: Call, path: str, engine: Engine, tenant_id: int, change: str, sent: Any, reason: str | None, rules: list[str]
) -> None:
    if change:
        with engine.begin() as connection:
            connection.execute(text(f"{change} where tenant_id = :tenant_id"), {"tenant_id": tenant_id})
    preview, refused = call("POST", f"{path}/preview", sent), call("POST", path, sent)
    assert outcome(preview)[:3] == (False, reason, 0)
    assert (refused.status_code, refused.json["error"]["reason"]) == (400, reason)
    assert [rule for rule, _ in failed(preview)] == rules
    if reason:
        assert failed(preview)[0][1] == refused.json["error"]["message"]


def test_adjustments_are_explained_with_the_balance(call: Call, path: str) -> None:
    for points, after in ((7, 57), (-50, 0)):
        preview = call("POST", f"{path}/preview", {"customer_id": 1042, "points": points})
        assert outcome(preview) == (True, None, points, 50, after)
        assert preview.json["data"]["rules"][-1]["message"] == f"The balance of 50 points becomes {after}."


def test_who_would_become_a_member_is_told_so(call: Call, alex: int, insider: Callable[..., int], card: str) -> None:
    welcoming = call("POST", f"/loyalty-cards/{insider(auto_enroll=True)}/transactions/preview", SALE)
    assert outcome(welcoming) == (True, None, 2, 0, 52)
    assert welcoming.json["data"]["would_enroll"] is True
    other = call("POST", f"{card}/transactions/preview", SALE)
    assert outcome(other) == (False, "customer_not_enrolled", 0, 0, 0)


def test_a_reference_that_was_used_adds_nothing(call: Call, path: str) -> None:
    sale = call("POST", path, {**SALE, "reference": "POS-1"}).json["data"]
    again = call("POST", f"{path}/preview", {**SALE, "reference": "POS-1"})
    assert outcome(again) == (True, None, 0, 52, 52)
    message = f"POS-1 was recorded before as transaction {sale['id']}: nothing is added."
    assert again.json["data"]["rules"] == [{"rule": "reference", "passed": True, "message": message}]
    other = call("POST", f"{path}/preview", {**SALE, "amount": 9, "reference": "POS-1"})
    assert outcome(other) == (False, "duplicate_reference", 0, 52, 52)


@pytest.mark.parametrize("sent", [{"customer_id": 1042}, {**SALE, "amount": 0}])
def test_what_is_no_purchase_at_all_is_an_error(call: Call, path: str, sent: Any) -> None:
    refused = call("POST", f"{path}/preview", sent)
    assert (refused.status_code, list(refused.json["error"]["details"])) == (400, ["amount"])


def test_the_preview_of_a_card_of_others_does_not_exist(call: Call, path: str) -> None:
    assert call("POST", f"{path}/preview", SALE, tenant=999_999).status_code == 404
