"""Who may be referred, and what milestones pay to the two."""

from collections.abc import Callable
from typing import Any

Call = Callable[..., Any]
Books = Callable[[], None]
Events = Callable[[], list[tuple[str, Any]]]
Program = Callable[..., dict[str, Any]]
Refer = Callable[..., dict[str, Any]]
FIVE = {"type": "purchase_count", "count": 5, "referrer_points": 200, "referred_points": 0}


def paths(program: dict[str, Any]) -> tuple[str, str]:
    """Of the card and of the program."""
    return f"/loyalty-cards/{program['loyalty_card_id']}", f"/referral-programs/{program['id']}"


def balances(rows: Callable[[str], Any]) -> dict[int, int]:
    query = "select customer_id, points_balance from enrollments where tenant_id = :tenant_id"
    return {row.customer_id: row.points_balance for row in rows(query)}


def test_a_referral_looks_as_promised(call: Call, alex: int, sam: int, bring_a_friend: Program, refer: Refer) -> None:
    program = bring_a_friend([{"type": "enrolled"}, FIVE])
    referral = refer(program, alex, sam)
    first, second = (milestone["id"] for milestone in program["milestones"])
    assert referral == {
        "id": referral["id"],
        "referral_program_id": program["id"],
        "referral_code": referral["referral_code"],
        "referrer_customer_id": alex,
        "referred_customer_id": sam,
        "status": "pending",
        "milestones": [
            {"milestone_id": first, "type": "enrolled", "completed_at": None, "progress": "0", "target": "1"},
            {"milestone_id": second, "type": "purchase_count", "completed_at": None, "progress": "0", "target": "5"},
        ],
        "created_at": referral["created_at"],
        "completed_at": None,
    }
    _, path = paths(program)
    assert call("GET", f"{path}/referrals/{referral['id']}").json["data"] == referral
    assert call("GET", f"{path}/referrals").json["data"] == [referral]


def test_enrolling_pays_both_in_the_same_moment_and_is_told_once(
    call: Call,
    alex: int,
    sam: int,
    bring_a_friend: Program,
    refer: Refer,
    rows: Callable[[str], Any],
    events: Events,
    books_balance: Books,
) -> None:
    program = bring_a_friend([{"type": "enrolled"}, FIVE])
    referral = refer(program, alex, sam)
    card, path = paths(program)
    before = len(events())
    enrolled = call("POST", f"{card}/enrollments", {"customer_id": sam}, key="k").json["data"]
    assert enrolled["enrollment"]["points_balance"] == 50, "the answer says what he has now"
    assert enrolled["initial_bonus_transactions"] == []
    told = events()[before:]
    assert [name for name, _ in told] == [
        "loyalty.enrolled", "loyalty.points_earned", "loyalty.points_earned", "referral.completed"
    ]  # fmt: skip
    completed = told[-1][1]
    assert completed["referral"] == call("GET", f"{path}/referrals/{referral['id']}").json["data"]
    assert completed["referral"]["status"] == "in_progress"
    assert completed["milestone"] == completed["referral"]["milestones"][0]
    assert (completed["milestone"]["progress"], completed["milestone"]["completed_at"]) != ("0", None)
    paid = [(row["customer_id"], row["type"], row["points_delta"]) for row in completed["reward_transactions"]]
    assert paid == [(alex, "bonus", 100), (sam, "bonus", 50)]
    assert {row["referral_id"] for row in completed["reward_transactions"]} == {referral["id"]}
    assert completed["referrer"] == completed["customer"]
    assert (completed["customer"]["email"], completed["referred"]["email"]) == ("alex@example.com", "sam@example.com")
    assert balances(rows) == {alex: 100, sam: 50}
    replay = call("POST", f"{card}/enrollments", {"customer_id": sam}, key="k")
    assert replay.headers["Idempotent-Replayed"] == "true"
    assert call("POST", f"{card}/enrollments", {"customer_id": sam}).status_code == 200
    assert len(events()) == before + 4
    books_balance()


def test_a_first_purchase_that_enrolls_completes_what_it_meets_in_one_go(
    call: Call,
    alex: int,
    sam: int,
    insider: Callable[..., int],
    bring_a_friend: Program,
    refer: Refer,
    rows: Callable[[str], Any],
    events: Events,
    books_balance: Books,
) -> None:
    goals = [
        {"type": "enrolled"},
        {"type": "first_purchase", "minimum_amount": 20},
        {"type": "amount_spent", "amount": 24.5},
    ]
    program = bring_a_friend(goals, card=insider(auto_enroll=True, points_expire_after_months=1))
    referral = refer(program, alex, sam)
    card, path = paths(program)
    sale = {"customer_id": sam, "amount": 24.50, "currency": "USD", "reference": "POS-1"}
    first = call("POST", f"{card}/transactions", sale, key="k")
    assert (first.json["data"]["type"], first.json["data"]["points_balance_after"]) == ("earn", 52)
    assert balances(rows) == {alex: 50 + 300, sam: 52 + 150}
    done = call("GET", f"{path}/referrals/{referral['id']}").json["data"]
    assert (done["status"], [m["progress"] for m in done["milestones"]]) == ("completed", ["1", "1", "24.50"])
    assert done["completed_at"] is not None
    assert [name for name, _ in events()].count("referral.completed") == 3
    said = len(events())
    assert call("POST", f"{card}/transactions", sale, key="k").headers["Idempotent-Replayed"] == "true"
    assert call("POST", f"{card}/transactions", sale).json["meta"]["duplicate"]
    assert call("POST", f"{card}/transactions", {**sale, "reference": "POS-2"}).status_code == 201
    assert len(events()) == said + 1, "all is done: later purchases only earn"
    ledger = rows("select type, expires_on from points_transactions where tenant_id = :tenant_id and referral_id > 0")
    assert len(ledger) == 6
    assert all(row.expires_on is not None for row in ledger), "a bonus expires as the card says"
    books_balance()


def test_purchases_count_even_if_they_earn_nothing_and_bonus_or_adjustment_do_not(
    call: Call, alex: int, sam: int, bring_a_friend: Program, refer: Refer, rows: Callable[[str], Any], events: Events
) -> None:
    program = bring_a_friend([{"type": "purchase_count", "count": 2}, {"type": "amount_spent", "amount": "30.00"}])
    referral = refer(program, alex, sam)
    card, path = paths(program)
    call("POST", f"{card}/enrollments", {"customer_id": sam})
    call("POST", f"{card}/transactions", {"customer_id": sam, "points": 500})
    small = {"customer_id": sam, "amount": 9.99, "currency": "USD"}
    assert call("POST", f"{card}/transactions", small).json["data"]["points_delta"] == 0
    course = call("GET", f"{path}/referrals/{referral['id']}").json["data"]
    assert [m["progress"] for m in course["milestones"]] == ["1", "9.99"]
    assert course["status"] == "in_progress"
    call("POST", f"{card}/transactions", small)
    course = call("GET", f"{path}/referrals/{referral['id']}").json["data"]
    assert [(m["progress"], m["target"]) for m in course["milestones"]] == [("2", "2"), ("19.98", "30.00")]
    call("POST", f"{card}/transactions", {**small, "amount": 50})
    course = call("GET", f"{path}/referrals/{referral['id']}").json["data"]
    assert [m["progress"] for m in course["milestones"]] == ["2", "30.00"], "progress ends at the target"
    assert balances(rows) == {alex: 200, sam: 500 + 5 + 100}
    assert [name for name, _ in events()].count("referral.completed") == 2


def test_a_custom_milestone_is_completed_by_hand_once(
    call: Call, alex: int, sam: int, bring_a_friend: Program, refer: Refer, events: Events, books_balance: Books
) -> None:
    program = bring_a_friend([{"type": "custom"}])
    referral = refer(program, alex, sam)
    card, path = paths(program)
    complete = f"{path}/referrals/{referral['id']}/complete"
    assert call("POST", complete).json["error"]["reason"] == "customer_not_enrolled"
    call("POST", f"{card}/enrollments", {"customer_id": sam})
    response = call("POST", complete, key="k")
    assert response.status_code == 200
    done = response.json["data"]
    assert done["referral"] == call("GET", f"{path}/referrals/{referral['id']}").json["data"]
    assert (done["referral"]["status"], done["milestone"]) == ("completed", done["referral"]["milestones"][0])
    assert [row["points_delta"] for row in done["reward_transactions"]] == [100, 50]
    name, told = events()[-1]
    assert (name, told["reward_transactions"]) == ("referral.completed", done["reward_transactions"])
    assert call("POST", complete, key="k").headers["Idempotent-Replayed"] == "true"
    again = call("POST", complete, {"milestone_id": done["milestone"]["milestone_id"]})
    assert (again.status_code, again.json["error"]["reason"]) == (400, "milestone_already_completed")
    books_balance()


def test_of_several_custom_milestones_one_must_be_named(
    call: Call, alex: int, sam: int, bring_a_friend: Program, refer: Refer, rows: Callable[[str], Any], events: Events
) -> None:
    nothing = {"referrer_points": 0, "referred_points": 0}
    program = bring_a_friend([{"type": "enrolled", **nothing}, {"type": "custom", **nothing}, {"type": "custom"}])
    referral = refer(program, alex, sam)
    card, path = paths(program)
    call("POST", f"{card}/enrollments", {"customer_id": sam})
    complete = f"{path}/referrals/{referral['id']}/complete"
    enrolled, first, _ = (milestone["id"] for milestone in program["milestones"])
    for sent in ({}, {"milestone_id": enrolled}, {"milestone_id": 999_999}):
        refused = call("POST", complete, sent)
        assert (refused.status_code, list(refused.json["error"]["details"])) == (400, ["milestone_id"])
        assert refused.json["error"]["reason"] is None
    unpaid = call("POST", complete, {"milestone_id": first})
    assert (unpaid.status_code, unpaid.json["data"]["reward_transactions"]) == (200, [])
    assert events()[-1][0] == "referral.completed"
    assert call("POST", complete).status_code == 200, "only one is open"
    assert balances(rows) == {alex: 100, sam: 50}
