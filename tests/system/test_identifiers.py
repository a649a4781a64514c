"""What a till is shown leads to one customer; what identifies him is shown as a QR code."""

from __future__ import annotations

from typing import Any

import pytest
import segno

PHONE = "+15551234567"


@pytest.fixture
def alex(merchant: Any) -> Any:
    return merchant.api.data("POST", "/customers", {"email": "alex@example.com", "name": "Alex", "phone": PHONE})


@pytest.fixture
def enroll(merchant: Any) -> Any:
    """``enroll(alex["id"])``: the enrollment on a card of its own."""

    def enroll(customer_id: int) -> Any:
        card = {"name": "Insider Points", "partner_location_id": merchant.partner_location_id}
        card_id = merchant.api.data("POST", "/loyalty-cards", card)["id"]
        enrolled = merchant.api.data("POST", f"/loyalty-cards/{card_id}/enrollments", {"customer_id": customer_id})
        return enrolled["enrollment"]

    return enroll


def look_up(api: Any, identifier: str) -> Any:
    return api.call("GET", "/customers/lookup", params={"identifier": identifier})


def payload(enrollment: Any) -> str:
    return f"loyalty:member:{enrollment['member_number']}"


def test_a_customer_is_found_by_whatever_he_shows(merchant: Any, alex: Any, enroll: Any) -> None:
    enrollment = enroll(alex["id"])
    number = enrollment["member_number"]
    for identifier, matched_by in (
        ("ALEX@example.com", "email"),
        (PHONE, "phone"),
        ("(555) 123-4567", "phone"),
        (number, "member_number"),
        (number.replace("-", ""), "member_number"),
        (f" {number} ", "member_number"),
        (payload(enrollment), "qr"),
    ):
        answer = look_up(merchant.api, identifier)
        assert answer.status_code == 200, identifier
        member = enrollment if matched_by in ("member_number", "qr") else None
        assert answer.json()["data"] == {**alex, "matched_by": matched_by, "enrollment": member}


def test_a_number_that_nobody_has_is_404_and_so_is_anothers(
    suite: Any, found_merchant: Any, merchant: Any, alex: Any, enroll: Any
) -> None:
    enrollment = enroll(alex["id"])
    stranger, number = found_merchant(suite), enrollment["member_number"]
    mistyped = f"{number[:-1]}{(int(number[-1]) + 1) % 10}"
    for identifier in (mistyped, f"loyalty:member:{mistyped}", number.replace("-", " ")):
        assert look_up(merchant.api, identifier).status_code == 404, identifier
    for identifier in (number, payload(enrollment)):
        assert look_up(stranger.api, identifier).status_code == 404
        assert look_up(merchant.test_api, identifier).status_code == 404


def test_twelve_digits_that_are_no_member_number_may_be_a_phone(merchant: Any) -> None:
    rome = merchant.api.data("POST", "/customers", {"email": "rome@example.com", "phone": "011390612345"})
    found = look_up(merchant.api, "011390612345").json()["data"]
    assert (found["id"], found["matched_by"], found["enrollment"]) == (rome["id"], "phone", None)


def test_an_erased_customers_number_leads_to_nobody(merchant: Any, alex: Any, enroll: Any) -> None:
    enrollment = enroll(alex["id"])
    merchant.api.data("DELETE", f"/customers/{alex['id']}")
    for identifier in ("alex@example.com", PHONE, enrollment["member_number"], payload(enrollment)):
        assert look_up(merchant.api, identifier).status_code == 404


def test_a_member_number_is_shown_as_svg_and_as_png(merchant: Any, alex: Any, enroll: Any) -> None:
    enrollment, path = enroll(alex["id"]), f"/customers/{alex['id']}/qr"
    svg, png = (merchant.api.call("GET", f"{path}{query}") for query in ("", "?format=png"))
    assert (svg.status_code, svg.headers["Content-Type"]) == (200, "image/svg+xml")
    drawn = segno.make_qr(payload(enrollment), error="m").svg_inline(scale=8, light="white")
    assert drawn.partition('d="')[2].partition('"')[0] in svg.text
    assert (png.status_code, png.headers["Content-Type"]) == (200, "image/png")
    assert png.content.startswith(b"\x89PNG\r\n\x1a\n")
    card = {"loyalty_card_id": enrollment["loyalty_card_id"], "format": "svg"}
    assert merchant.api.call("GET", path, params=card).content == svg.content


def test_a_customer_of_several_cards_says_which(merchant: Any, alex: Any, enroll: Any) -> None:
    path, one, other = f"/customers/{alex['id']}/qr", enroll(alex["id"]), enroll(alex["id"])
    refused = merchant.api.call("GET", path)
    assert (refused.status_code, list(refused.json()["error"]["details"])) == (400, ["loyalty_card_id"])
    of_one, of_other = (
        merchant.api.call("GET", path, params={"loyalty_card_id": member["loyalty_card_id"]}) for member in (one, other)
    )
    assert of_one.status_code == of_other.status_code == 200
    assert of_one.content != of_other.content


def test_who_is_not_enrolled_has_no_code(merchant: Any, alex: Any, enroll: Any) -> None:
    path, sam = f"/customers/{alex['id']}/qr", merchant.api.data("POST", "/customers", {"email": "sam@example.com"})
    card_id = enroll(sam["id"])["loyalty_card_id"]
    for query in ({}, {"loyalty_card_id": card_id}):
        refused = merchant.api.call("GET", path, params=query)
        assert (refused.status_code, refused.json()["error"]["reason"]) == (400, "customer_not_enrolled")
        assert list(refused.json()["error"]["details"]) == list(query)
