"""The members of a card: listed, looked at, suspended and let back in."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from loyalty_common.database import Transaction
from loyalty_programs.models import directory

Call = Callable[..., Any]
Insider = Callable[..., int]
SALE = {"customer_id": 1042, "amount": 24.50, "currency": "USD"}


@pytest.fixture
def card(insider: Insider) -> int:
    return insider()


@pytest.fixture
def member(call: Call, alex: int, card: int) -> dict[str, Any]:
    answer: dict[str, Any] = call("POST", f"/loyalty-cards/{card}/enrollments", {"customer_id": alex}).json["data"]
    member: dict[str, Any] = answer["enrollment"]
    return member


@pytest.fixture
def path(card: int, member: dict[str, Any]) -> str:
    return f"/loyalty-cards/{card}/enrollments/{member['id']}"


def test_an_enrollment_looks_the_same_wherever_it_is_shown(
    call: Call, card: int, member: dict[str, Any], path: str
) -> None:
    assert call("GET", path).json["data"] == member
    assert call("GET", f"/loyalty-cards/{card}/enrollments").json["data"] == [member]


def test_members_are_found_by_customer_status_and_number(
    call: Call, card: int, member: dict[str, Any], path: str, knows: Callable[..., int]
) -> None:
    sam = knows(1050, "sam@example.com")
    other = call("POST", f"/loyalty-cards/{card}/enrollments", {"customer_id": sam}).json["data"]["enrollment"]
    call("PATCH", path, {"status": "suspended"})
    found = {
        "": [other["id"], member["id"]],
        "?customer_id=1042": [member["id"]],
        "?customer_email=SAM@example.com": [other["id"]],
        "?customer_email=nobody@example.com": [],
        "?status=suspended": [member["id"]],
        "?status=active": [other["id"]],
        f"?member_number={other['member_number']}": [other["id"]],
        f"?member_number={other['member_number']}&status=suspended": [],
    }
    for query, expected in found.items():
        page = call("GET", f"/loyalty-cards/{card}/enrollments{query}").json
        assert [enrollment["id"] for enrollment in page["data"]] == expected, query
        by_cursor = call("GET", f"/loyalty-cards/{card}/enrollments{query or '?'}&cursor=").json
        assert [enrollment["id"] for enrollment in by_cursor["data"]] == expected, query


@pytest.mark.parametrize("query", ["status=gone", "customer_id=Alex", "customer_email=alex", "page=0"])
def test_a_filter_that_means_nothing_is_refused(call: Call, card: int, query: str) -> None:
    response = call("GET", f"/loyalty-cards/{card}/enrollments?{query}")
    assert (response.status_code, list(response.json["error"]["details"])) == (400, [query.split("=")[0]])
    assert call("GET", f"/loyalty-cards/999999/enrollments?{query}").status_code == 404


def test_suspending_a_member_says_so_once(
    call: Call, member: dict[str, Any], path: str, events: Callable[[], Any]
) -> None:
    before = len(events())
    suspended = call("PATCH", path, {"status": "suspended"})
    shown = suspended.json["data"]
    assert suspended.status_code == 200
    assert shown == {**member, "status": "suspended", "updated_at": shown["updated_at"]}
    [(name, told)] = events()[before:]
    assert (name, told["changed"], told["enrollment"], told["transaction"]) == (
        "customer.updated",
        ["enrollment.status"],
        shown,
        None,
    )
    assert (told["id"], told["customer"]["email"], told["source"]) == (1042, "alex@example.com", "api")
    for nothing_new in ({"status": "suspended"}, {}):
        again = call("PATCH", path, nothing_new)
        assert (again.status_code, again.json["data"]) == (200, shown)
    assert len(events()) == before + 1
    assert call("PATCH", path, {"status": "active"}).json["data"]["status"] == "active"
    assert len(events()) == before + 2


def test_who_is_suspended_neither_enrolls_nor_earns_but_is_still_seen(
    call: Call, card: int, member: dict[str, Any], path: str, books_balance: Callable[[], None]
) -> None:
    call("PATCH", path, {"status": "suspended"})
    for operation, sent in (("enrollments", {"customer_id": 1042}), ("transactions", SALE)):
        refused = call("POST", f"/loyalty-cards/{card}/{operation}", sent)
        assert (refused.status_code, refused.json["error"]["reason"]) == (400, "enrollment_suspended")
    assert call("GET", path).json["data"]["points_balance"] == member["points_balance"]
    assert call("GET", f"/loyalty-cards/{card}/transactions").json["meta"]["total"] == 1
    call("PATCH", path, {"status": "active"})
    assert call("POST", f"/loyalty-cards/{card}/transactions", SALE).status_code == 201


@pytest.mark.parametrize("status", [None, "", "gone", 1, True])
def test_a_status_must_be_one_that_there_is(call: Call, path: str, status: Any) -> None:
    call("PATCH", path, {"status": "suspended"})
    refused = call("PATCH", path, {"status": status})
    assert (refused.status_code, list(refused.json["error"]["details"])) == (400, ["status"])
    assert call("GET", path).json["data"]["status"] == "suspended"


def test_a_change_is_made_once_per_key(call: Call, path: str, events: Callable[[], Any]) -> None:
    first = call("PATCH", path, {"status": "suspended"}, key="k")
    call("PATCH", path, {"status": "active"})
    told = len(events())
    again = call("PATCH", path, {"status": "suspended"}, key="k")
    assert (again.json["data"], again.headers["Idempotent-Replayed"]) == (first.json["data"], "true")
    assert (call("GET", path).json["data"]["status"], len(events())) == ("active", told)


def test_an_enrollment_is_found_on_its_own_card_and_tenant_only(
    call: Call, member: dict[str, Any], path: str, insider: Insider, tenant_id: int
) -> None:
    elsewhere = f"/loyalty-cards/{insider()}/enrollments/{member['id']}"
    for place, tenant in ((elsewhere, 0), (path, tenant_id + 1_000_000), (path.replace("cards/", "cards/9999"), 0)):
        for method, sent in (("GET", None), ("PATCH", {"status": "suspended"}), ("PATCH", {"status": None})):
            assert call(method, place, sent, tenant=tenant).status_code == 404, (method, place)
    assert call("GET", path).json["data"] == member


def test_an_erased_customer_is_suspended_no_more(
    call: Call, member: dict[str, Any], path: str, events: Callable[[], Any], engine: Engine, tenant_id: int
) -> None:
    told = len(events())
    with engine.begin() as connection:
        directory.learn_customer(
            Transaction(connection, tenant_id),
            customer=None,
            customer_id=1042,
            version=2,
            erased_at="2026-06-01T09:00:00+00:00",
        )
    refused = call("PATCH", path, {"status": "suspended"})
    assert (refused.status_code, refused.json["error"]["reason"]) == (400, "customer_not_found")
    assert call("GET", path).json["data"] == member
    assert len(events()) == told
