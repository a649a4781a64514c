"""What merchants lay down, and what a change of it does not touch."""

from collections.abc import Callable
from typing import Any

import pytest

Call = Callable[..., Any]
Program = Callable[..., dict[str, Any]]
Refer = Callable[..., dict[str, Any]]
ENROLLED = {"type": "enrolled"}
FIVE = {"type": "purchase_count", "count": 5, "referrer_points": 200, "referred_points": 0}


def path_of(program: dict[str, Any]) -> str:
    return f"/referral-programs/{program['id']}"


def test_a_program_looks_as_promised(call: Call, insider: Callable[..., int], bring_a_friend: Program) -> None:
    card = insider()
    program = bring_a_friend([ENROLLED, FIVE], card=card)
    first, second = (milestone["id"] for milestone in program["milestones"])
    nothing = dict.fromkeys(("minimum_amount", "count", "amount", "referrer_points", "referred_points"))
    assert program == {
        "id": program["id"],
        "name": "Bring a friend",
        "loyalty_card_id": card,
        "referrer_points": 100,
        "referred_points": 50,
        "valid_from": None,
        "valid_until": None,
        "is_active": True,
        "milestones": [{**nothing, "id": first, **ENROLLED}, {**nothing, "id": second, **FIVE}],
        "created_at": program["created_at"],
        "updated_at": program["created_at"],
    }
    assert call("GET", path_of(program)).json["data"] == program
    assert call("GET", "/referral-programs").json["data"] == [program]
    assert call("GET", "/referral-programs?cursor=").json["data"] == [program]


def test_amounts_are_shown_in_the_currency_of_the_card(insider: Callable[..., int], bring_a_friend: Program) -> None:
    goals = [{"type": "first_purchase", "minimum_amount": "1.5"}, {"type": "amount_spent", "amount": 100}]
    program = bring_a_friend(goals, card=insider(earn_currency="KWD"))
    assert [(goal["minimum_amount"], goal["amount"]) for goal in program["milestones"]] == [
        ("1.500", None),
        (None, "100.000"),
    ]


@pytest.mark.parametrize(
    ("milestones", "field"),
    [
        (None, "milestones"),
        ([], "milestones"),
        ("enrolled", "milestones"),
        ([ENROLLED] * 21, "milestones"),
        (["enrolled"], "milestones.0"),
        ([{}], "milestones.0.type"),
        ([{"type": "visited"}], "milestones.0.type"),
        ([ENROLLED, {"type": "purchase_count"}], "milestones.1.count"),
        ([{"type": "purchase_count", "count": 0}], "milestones.0.count"),
        ([{"type": "purchase_count", "count": 2.5}], "milestones.0.count"),
        ([{"type": "amount_spent"}], "milestones.0.amount"),
        ([{"type": "amount_spent", "amount": "10.001"}], "milestones.0.amount"),
        ([{"type": "first_purchase", "minimum_amount": -1}], "milestones.0.minimum_amount"),
        ([{**ENROLLED, "count": 2}], "milestones.0.count"),
        ([{"type": "custom", "amount": 5}], "milestones.0.amount"),
        ([{**ENROLLED, "referrer_points": 1_000_001}], "milestones.0.referrer_points"),
        ([{**ENROLLED, "referred_points": -1}], "milestones.0.referred_points"),
    ],
)
def test_a_milestone_has_the_field_of_its_type_and_no_other(
    call: Call, insider: Callable[..., int], bring_a_friend: Program, milestones: Any, field: str
) -> None:
    created = {"name": "Bring a friend", "loyalty_card_id": insider(), "milestones": milestones}
    for response in (
        call("POST", "/referral-programs", created),
        call("PATCH", path_of(bring_a_friend([ENROLLED])), {"milestones": milestones}),
    ):
        assert (response.status_code, list(response.json["error"]["details"])) == (400, [field])


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"name": None}, "name"),
        ({"loyalty_card_id": 999_999}, "loyalty_card_id"),
        ({"referrer_points": -1}, "referrer_points"),
        ({"valid_from": "2026-05-02", "valid_until": "2026-05-01"}, "valid_until"),
        ({"is_active": "yes"}, "is_active"),
    ],
)
def test_what_a_program_needs_is_said_by_field(
    call: Call, insider: Callable[..., int], sent: dict[str, Any], field: str
) -> None:
    program = {"name": "Bring a friend", "loyalty_card_id": insider(), "milestones": [ENROLLED]}
    response = call("POST", "/referral-programs", {**program, **sent})
    assert (response.status_code, list(response.json["error"]["details"])) == (400, [field])


def test_a_change_is_judged_with_what_it_leaves_and_null_means_the_default(call: Call, bring_a_friend: Program) -> None:
    program = bring_a_friend([ENROLLED], valid_from="2026-05-02")
    refused = call("PATCH", path_of(program), {"valid_until": "2026-05-01"})
    assert list(refused.json["error"]["details"]) == ["valid_until"]
    changed = call("PATCH", path_of(program), {"valid_from": None, "referrer_points": None, "name": "Friends"})
    assert changed.status_code == 200
    expected = {**program, "valid_from": None, "referrer_points": 0, "name": "Friends"}
    assert changed.json["data"] == {**expected, "updated_at": changed.json["data"]["updated_at"]}
    other = call("PATCH", path_of(program), {"loyalty_card_id": 1})
    assert other.json["data"] == changed.json["data"], "the card of a program never changes"
    assert [warning["field"] for warning in other.json["meta"]["warnings"]] == ["loyalty_card_id"]


def test_milestones_are_replaced_as_a_list_and_keep_their_ids(call: Call, bring_a_friend: Program) -> None:
    program = bring_a_friend([ENROLLED, FIVE])
    enrolled, five = program["milestones"]
    changed = call("PATCH", path_of(program), {"milestones": [{**five, "count": 7}, {"type": "custom"}, ENROLLED]})
    seven, custom, same = changed.json["data"]["milestones"]
    assert (seven["id"], seven["count"]) == (five["id"], 7), "named by its id"
    assert same == enrolled, "says the same, so it is the same"
    assert custom["id"] not in {enrolled["id"], five["id"]}
    unchanged = call("PATCH", path_of(program), {"milestones": changed.json["data"]["milestones"]})
    assert unchanged.json["data"] == changed.json["data"]
    other = bring_a_friend([ENROLLED])["milestones"][0]
    for wrong in ([other], [seven, seven]):
        refused = call("PATCH", path_of(program), {"milestones": wrong})
        assert list(refused.json["error"]["details"]) == [f"milestones.{len(wrong) - 1}.id"]


def test_a_referral_keeps_what_it_was_promised(
    call: Call, alex: int, sam: int, bring_a_friend: Program, refer: Refer, rows: Callable[[str], Any]
) -> None:
    program = bring_a_friend([{"type": "purchase_count", "count": 2}])
    referral = refer(program, alex, sam)
    card = f"/loyalty-cards/{program['loyalty_card_id']}"
    sale = {"customer_id": sam, "amount": 1, "currency": "USD"}
    call("POST", f"{card}/enrollments", {"customer_id": sam})
    call("POST", f"{card}/transactions", sale)
    call("PATCH", path_of(program), {"milestones": [{"type": "custom"}], "referrer_points": 1})
    call("POST", f"{card}/transactions", sale)
    done = call("GET", f"{path_of(program)}/referrals/{referral['id']}").json["data"]
    assert done["status"] == "completed"
    assert done["milestones"][0]["milestone_id"] == program["milestones"][0]["id"]
    [bonus] = rows("select points_delta from points_transactions where tenant_id = :tenant_id and customer_id = 1042")
    assert bonus.points_delta == 100


def test_what_is_another_tenants_does_not_exist(
    call: Call, alex: int, sam: int, bring_a_friend: Program, refer: Refer, insider: Callable[..., int]
) -> None:
    program = bring_a_friend([ENROLLED])
    referral = refer(program, alex, sam)
    path, stranger = path_of(program), 10**9
    one = f"{path}/referrals/{referral['id']}"
    for method, where, sent in (
        ("GET", path, None),
        ("PATCH", path, {"name": "Mine"}),
        ("PATCH", path, {"name": None}),
        ("POST", f"{path}/codes", {"customer_id": alex}),
        ("POST", f"{path}/codes", {}),
        ("POST", f"{path}/referrals", {"customer_id": sam, "referral_code": referral["referral_code"]}),
        ("GET", f"{path}/referrals", None),
        ("GET", one, None),
        ("POST", f"{one}/complete", None),
    ):
        assert call(method, where, sent, tenant=stranger).status_code == 404, (method, where)
    assert call("GET", f"{path_of(bring_a_friend([ENROLLED]))}/referrals/{referral['id']}").status_code == 404
    created = {"name": "Mine", "loyalty_card_id": insider(), "milestones": [ENROLLED]}
    refused = call("POST", "/referral-programs", created, tenant=stranger)
    assert (refused.status_code, list(refused.json["error"]["details"])) == (400, ["loyalty_card_id"])
