"""Whom a milestone pays, and when it pays nobody."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

Call = Callable[..., Any]
Books = Callable[[], None]
Events = Callable[[], list[tuple[str, Any]]]
Program = Callable[..., dict[str, Any]]
Refer = Callable[..., dict[str, Any]]


def paths(program: dict[str, Any]) -> tuple[str, str]:
    """Of the card and of the program."""
    return f"/loyalty-cards/{program['loyalty_card_id']}", f"/referral-programs/{program['id']}"


def balances(rows: Callable[[str], Any]) -> dict[int, int]:
    query = "select customer_id, points_balance from enrollments where tenant_id = :tenant_id"
    return {row.customer_id: row.points_balance for row in rows(query)}


@pytest.mark.parametrize("state", ["suspended", "erased"])
def test_a_referrer_who_cannot_be_paid_stops_nothing(
    call: Call,
    alex: int,
    sam: int,
    bring_a_friend: Program,
    refer: Refer,
    rows: Callable[[str], Any],
    events: Events,
    engine: Engine,
    tenant_id: int,
    books_balance: Books,
    state: str,
) -> None:
    program = bring_a_friend([{"type": "first_purchase"}])
    refer(program, alex, sam)
    card, _ = paths(program)
    call("POST", f"{card}/enrollments", {"customer_id": sam})
    change = {
        "suspended": "update enrollments set status = 'suspended' where tenant_id = :tenant_id and customer_id = 1042",
        "erased": "update customer_directory set profile = null, email = null, erased_at = now()"
        " where tenant_id = :tenant_id and customer_id = 1042",
    }
    with engine.begin() as connection:
        connection.execute(text(change[state]), {"tenant_id": tenant_id})
    sale = {"customer_id": sam, "amount": 24.50, "currency": "USD"}
    assert call("POST", f"{card}/transactions", sale).status_code == 201
    assert balances(rows) == {alex: 0, sam: 52}
    name, told = events()[-1]
    assert (name, [row["customer_id"] for row in told["reward_transactions"]]) == ("referral.completed", [sam])
    assert told["referrer"]["id"] == alex
    assert (told["referrer"]["email"] is None) == (state == "erased")
    books_balance()


def test_a_bonus_pays_a_debt_first(
    call: Call, alex: int, sam: int, bring_a_friend: Program, refer: Refer, rows: Callable[[str], Any],
    engine: Engine, tenant_id: int,
) -> None:  # fmt: skip
    program = bring_a_friend([{"type": "enrolled"}])
    refer(program, alex, sam)
    with engine.begin() as connection:
        debt = "update enrollments set points_balance = -30 where tenant_id = :tenant_id and customer_id = 1042"
        connection.execute(text(debt), {"tenant_id": tenant_id})
    call("POST", f"{paths(program)[0]}/enrollments", {"customer_id": sam})
    bonus = "select points_balance_after, points_remaining from points_transactions where tenant_id = :tenant_id"
    assert [tuple(row) for row in rows(f"{bonus} and customer_id = 1042")] == [(70, 70)]


def test_nothing_moves_while_a_program_is_inactive_and_the_next_purchase_makes_up_for_enrolling(
    call: Call, alex: int, sam: int, bring_a_friend: Program, refer: Refer, rows: Callable[[str], Any], events: Events
) -> None:
    program = bring_a_friend([{"type": "enrolled"}, {"type": "purchase_count", "count": 2}, {"type": "custom"}])
    referral = refer(program, alex, sam)
    card, path = paths(program)
    call("PATCH", path, {"is_active": False})
    call("POST", f"{card}/enrollments", {"customer_id": sam})
    sale = {"customer_id": sam, "amount": 24.50, "currency": "USD"}
    call("POST", f"{card}/transactions", sale)
    refused = call("POST", f"{path}/referrals/{referral['id']}/complete")
    assert refused.json["error"]["reason"] == "referral_program_inactive"
    assert call("GET", f"{path}/referrals").json["data"] == [referral]
    call("PATCH", path, {"is_active": True})
    call("POST", f"{card}/transactions", sale)
    course = call("GET", f"{path}/referrals/{referral['id']}").json["data"]
    assert [milestone["progress"] for milestone in course["milestones"]] == ["1", "1", "0"]
    assert balances(rows) == {alex: 100, sam: 2 + 2 + 50}
    assert [name for name, _ in events()].count("referral.completed") == 1


def test_a_card_that_is_not_valid_pays_nothing_by_hand_either(
    call: Call, alex: int, sam: int, bring_a_friend: Program, refer: Refer, engine: Engine, tenant_id: int
) -> None:
    program = bring_a_friend([{"type": "custom"}])
    referral = refer(program, alex, sam)
    card, path = paths(program)
    call("POST", f"{card}/enrollments", {"customer_id": sam})
    complete = f"{path}/referrals/{referral['id']}/complete"
    for change, reason in (
        ("update enrollments set status = 'suspended' where customer_id = 1050", "enrollment_suspended"),
        ("update loyalty_cards set is_active = false where true", "card_inactive"),
    ):
        with engine.begin() as connection:
            connection.execute(text(f"{change} and tenant_id = :tenant_id"), {"tenant_id": tenant_id})
        refused = call("POST", complete)
        assert (refused.status_code, refused.json["error"]["reason"]) == (400, reason)
