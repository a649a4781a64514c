from collections.abc import Callable
from typing import Any

import pytest

from loyalty_programs.domain.members import is_member_number

Call = Callable[..., Any]
Insider = Callable[..., int]


def test_a_customer_is_enrolled_with_the_bonus_as_the_reference_shows(call: Call, alex: int, insider: Insider) -> None:
    card = insider()
    response = call("POST", f"/loyalty-cards/{card}/enrollments", {"customer_email": "alex@example.com"})
    assert response.status_code == 201
    enrollment = response.json["data"]["enrollment"]
    [bonus] = response.json["data"]["initial_bonus_transactions"]
    assert is_member_number(enrollment["member_number"])
    assert enrollment == {
        "id": enrollment["id"],
        "customer_id": alex,
        "loyalty_card_id": card,
        "member_number": enrollment["member_number"],
        "status": "active",
        "points_balance": 50,
        "created_at": enrollment["created_at"],
        "updated_at": enrollment["created_at"],
    }
    assert (bonus["type"], bonus["points_delta"], bonus["points_balance_after"]) == ("bonus", 50, 50)
    assert bonus["purchase_reference"] is None
    assert (bonus["customer_id"], bonus["enrollment_id"], bonus["source"]) == (alex, enrollment["id"], "api")


def test_enrolling_says_so_once_and_once_more_for_the_bonus(
    call: Call, alex: int, insider: Insider, events: Callable[[], Any]
) -> None:
    card = insider()
    enrolled = call("POST", f"/loyalty-cards/{card}/enrollments", {"customer_id": alex}).json["data"]
    told = dict(events())
    assert sorted(name for name, _ in events()) == ["loyalty.enrolled", "loyalty.points_earned"]
    person = {"id": alex, "name": "Alex Rivera", "email": "alex@example.com", "phone": "+15551234567"}
    assert told["loyalty.enrolled"] == {
        **enrolled,
        "loyalty_card": call("GET", f"/loyalty-cards/{card}").json["data"],
        "customer": person,
        "source": "api",
    }
    [bonus] = enrolled["initial_bonus_transactions"]
    assert told["loyalty.points_earned"] == {**bonus, "loyalty_reward_id": None, "customer": person}


def test_a_card_without_a_bonus_enrolls_without_a_balance_event(
    call: Call, alex: int, insider: Insider, events: Callable[[], Any]
) -> None:
    response = call("POST", f"/loyalty-cards/{insider(initial_bonus_points=0)}/enrollments", {"customer_id": alex})
    assert response.json["data"]["initial_bonus_transactions"] == []
    assert [name for name, _ in events()] == ["loyalty.enrolled"]


def test_a_member_is_enrolled_once_and_never_gets_a_second_bonus(
    call: Call, alex: int, insider: Insider, events: Callable[[], Any], books_balance: Callable[[], None]
) -> None:
    path = f"/loyalty-cards/{insider()}/enrollments"
    first = call("POST", path, {"customer_id": alex}).json["data"]
    again = call("POST", path, {"customer_id": alex})
    assert (again.status_code, again.json["data"]) == (200, {**first, "initial_bonus_transactions": []})
    assert len(events()) == 2
    books_balance()


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"is_active": False}, "card_inactive"),
        ({"date_issued": "2999-01-01"}, "card_not_yet_valid"),
        ({"date_issued": "2020-01-01", "expiry_date": "2020-12-31"}, "card_expired"),
    ],
)
def test_a_card_that_is_not_valid_enrolls_nobody(
    call: Call, alex: int, insider: Insider, terms: dict[str, Any], reason: str
) -> None:
    response = call("POST", f"/loyalty-cards/{insider(**terms)}/enrollments", {"customer_id": alex})
    assert (response.status_code, response.json["error"]["reason"]) == (400, reason)


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "customer_id"),
        ({"customer_id": "Alex"}, "customer_id"),
        ({"customer_id": 24.9}, "customer_id"),
        ({"customer_email": "alex"}, "customer_email"),
        ({"customer_id": 1042, "customer_email": "sam@example.com"}, "customer_email"),
    ],
)
def test_a_customer_must_be_named_and_be_one(
    call: Call, alex: int, insider: Insider, knows: Callable[..., int], sent: dict[str, Any], field: str
) -> None:
    knows(1050, "sam@example.com")
    response = call("POST", f"/loyalty-cards/{insider()}/enrollments", sent)
    assert (response.status_code, list(response.json["error"]["details"])) == (400, [field])


def test_id_and_email_of_the_same_customer_are_fine_in_any_case(call: Call, alex: int, insider: Insider) -> None:
    named = {"customer_id": str(alex), "customer_email": " ALEX@example.com "}
    assert call("POST", f"/loyalty-cards/{insider()}/enrollments", named).status_code == 201


def test_the_bonus_expires_as_the_card_says(call: Call, alex: int, insider: Insider) -> None:
    path = f"/loyalty-cards/{insider(points_expire_after_months=12)}/enrollments"
    [bonus] = call("POST", path, {"customer_id": alex}).json["data"]["initial_bonus_transactions"]
    year, month_and_day = bonus["expires_on"].split("-", 1)
    assert int(year) == int(bonus["occurred_at"][:4]) + 1
    assert month_and_day
