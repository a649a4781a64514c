"""Who gets a code, and who may be referred by it."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

Call = Callable[..., Any]
Program = Callable[..., dict[str, Any]]
Refer = Callable[..., dict[str, Any]]
ENROLLED = {"type": "enrolled"}


def path_of(program: dict[str, Any]) -> str:
    return f"/referral-programs/{program['id']}"


def test_a_code_is_made_of_the_name_and_stays(call: Call, alex: int, bring_a_friend: Program) -> None:
    program = bring_a_friend([ENROLLED])
    stranger = call("POST", f"{path_of(program)}/codes", {"customer_id": alex})
    assert (stranger.status_code, stranger.json["error"]["reason"]) == (400, "customer_not_enrolled")
    call("POST", f"/loyalty-cards/{program['loyalty_card_id']}/enrollments", {"customer_id": alex})
    first = call("POST", f"{path_of(program)}/codes", {"customer_email": "alex@example.com"})
    assert first.status_code == 201
    code = first.json["data"]
    assert code == {
        "id": code["id"],
        "referral_program_id": program["id"],
        "customer_id": alex,
        "referral_code": code["referral_code"],
        "created_at": code["created_at"],
    }
    name, chance = code["referral_code"].split("-")
    assert (name, len(chance)) == ("ALEX", 4)
    call("PATCH", path_of(program), {"is_active": False})
    again = call("POST", f"{path_of(program)}/codes", {"customer_id": alex})
    assert (again.status_code, again.json["data"]) == (200, code)


@pytest.mark.parametrize(
    "terms",
    [{"is_active": False}, {"valid_from": "2999-01-01"}, {"valid_from": "2020-01-01", "valid_until": "2020-12-31"}],
)
def test_a_program_that_is_not_running_gives_no_code_and_takes_no_friend(
    call: Call, alex: int, sam: int, bring_a_friend: Program, knows: Callable[..., int], terms: dict[str, Any]
) -> None:
    program = bring_a_friend([ENROLLED])
    for customer in (alex, knows(1060, "kim@example.com")):
        call("POST", f"/loyalty-cards/{program['loyalty_card_id']}/enrollments", {"customer_id": customer})
    code = call("POST", f"{path_of(program)}/codes", {"customer_id": alex}).json["data"]["referral_code"]
    assert call("PATCH", path_of(program), terms).status_code == 200
    for path, sent in (
        ("codes", {"customer_id": 1060}),
        ("referrals", {"customer_id": sam, "referral_code": code}),
    ):
        refused = call("POST", f"{path_of(program)}/{path}", sent)
        assert (refused.status_code, refused.json["error"]["reason"]) == (400, "referral_program_inactive")


def test_a_friend_is_referred_once_by_another_while_new(
    call: Call, alex: int, sam: int, knows: Callable[..., int], bring_a_friend: Program, refer: Refer
) -> None:
    program, kim = bring_a_friend([ENROLLED]), knows(1060, "kim@example.com", name="Kim")
    referral = refer(program, alex, sam)
    card, path = f"/loyalty-cards/{program['loyalty_card_id']}", f"{path_of(program)}/referrals"
    code = referral["referral_code"]
    again = call("POST", path, {"referral_code": code.lower(), "customer_email": "sam@example.com"})
    assert (again.status_code, again.json["data"]) == (200, referral)
    call("POST", f"{card}/enrollments", {"customer_id": kim})
    other = call("POST", f"{path_of(program)}/codes", {"customer_id": kim}).json["data"]["referral_code"]
    elsewhere = bring_a_friend([ENROLLED], card=program["loyalty_card_id"])
    third = call("POST", f"{path_of(elsewhere)}/codes", {"customer_id": kim}).json["data"]["referral_code"]
    for where, sent, reason in (
        (path, {"referral_code": code, "customer_id": alex}, "self_referral"),
        (path, {"referral_code": other, "customer_id": sam}, "already_referred"),
        (f"{path_of(elsewhere)}/referrals", {"referral_code": third, "customer_id": sam}, "already_referred"),
        (path, {"referral_code": code, "customer_id": kim}, "customer_not_new"),
    ):
        refused = call("POST", where, sent)
        assert (refused.status_code, refused.json["error"]["reason"]) == (400, reason)
        assert list(refused.json["error"]["details"]) == ["customer_id"]
    for where, unknown in ((path, "NOBODY-2222"), (path, third)):
        refused = call("POST", where, {"referral_code": unknown, "customer_id": sam})
        assert (refused.status_code, list(refused.json["error"]["details"])) == (400, ["referral_code"])
        assert refused.json["error"]["reason"] is None


def test_the_code_of_someone_who_was_erased_brings_nobody(
    call: Call, alex: int, sam: int, bring_a_friend: Program, refer: Refer, engine: Engine, tenant_id: int,
    knows: Callable[..., int],
) -> None:  # fmt: skip
    program = bring_a_friend([ENROLLED])
    code = refer(program, alex, sam)["referral_code"]
    erase = "update customer_directory set profile = null, email = null, erased_at = now() where customer_id = 1042"
    with engine.begin() as connection:
        connection.execute(text(f"{erase} and tenant_id = :tenant_id"), {"tenant_id": tenant_id})
    sent = {"referral_code": code, "customer_id": knows(1060, "kim@example.com")}
    refused = call("POST", f"{path_of(program)}/referrals", sent)
    assert (refused.status_code, list(refused.json["error"]["details"])) == (400, ["referral_code"])


def test_referrals_are_listed_by_what_is_asked(
    call: Call, alex: int, sam: int, knows: Callable[..., int], bring_a_friend: Program, refer: Refer
) -> None:
    program, kim, robin = bring_a_friend([ENROLLED]), knows(1060, "kim@example.com"), knows(1070, "robin@example.com")
    refer(program, alex, sam)
    call("POST", f"/loyalty-cards/{program['loyalty_card_id']}/enrollments", {"customer_id": sam})
    for referrer, friend in ((alex, kim), (sam, robin)):
        refer(program, referrer, friend)
    path = f"{path_of(program)}/referrals"

    def friends(query: str) -> list[int]:
        return [row["referred_customer_id"] for row in call("GET", f"{path}?{query}").json["data"]]

    for query, expected in (
        ("", [robin, kim, sam]),
        ("status=pending", [robin, kim]),
        ("status=completed", [sam]),
        ("status=in_progress", []),
        (f"referrer_customer_id={alex}", [kim, sam]),
        (f"referred_customer_id={robin}", [robin]),
        (f"referrer_customer_id={alex}&status=pending", [kim]),
    ):
        assert friends(query) == expected
        assert friends(f"{query}&cursor=") == expected
    assert call("GET", f"{path}?status=lost").status_code == 400
