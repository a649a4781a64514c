"""E-mails and phone numbers lead to one customer; member numbers and QR codes wait for programs, which is down here.

With programs there: tests/system/test_identifiers.py.
"""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from loyalty_common.service_client import ServiceClient

Call = Callable[..., Any]
NUMBER = "4821-0093-7713"


@pytest.fixture
def alex(call: Call) -> Any:
    sent = {"email": "alex@example.com", "name": "Alex Rivera", "phone": "+15551234567"}
    return call("POST", "/customers", sent).json["data"]


@pytest.fixture
def look_up(call: Call) -> Call:
    return lambda identifier, **options: call(
        "GET", "/customers/lookup", query_string={"identifier": identifier}, **options
    )


@pytest.mark.parametrize(
    ("identifier", "matched_by"),
    [
        ("ALEX@example.com", "email"),
        (" alex@example.com ", "email"),
        ("+15551234567", "phone"),
        (" 15551234567", "phone"),
        ("(555) 123-4567", "phone"),
    ],
)
def test_a_customer_is_found_by_email_and_phone(look_up: Call, alex: Any, identifier: str, matched_by: str) -> None:
    answer = look_up(identifier)
    assert answer.status_code == 200
    assert answer.json["data"] == {**alex, "matched_by": matched_by, "enrollment": None}


def test_the_plus_of_a_phone_number_may_be_left_unescaped(call: Call, alex: Any) -> None:
    assert call("GET", "/customers/lookup?identifier=+15551234567").json["data"]["id"] == alex["id"]


@pytest.mark.parametrize(
    "identifier",
    [
        *("sam@example.com", "alex@example", "@", "+15557654321", "555", "Alex Rivera", "1042", "%", "x" * 255),
        *("loyalty:member:", "loyalty:member:alex@example.com", "loyalty:member:+15551234567"),
        f"LOYALTY:MEMBER:{NUMBER}",
    ],
)
def test_an_identifier_of_nobody_is_404(look_up: Call, alex: Any, identifier: str) -> None:
    answer = look_up(identifier)
    assert (answer.status_code, answer.json["error"]["code"]) == (404, "not_found")


def test_nobody_is_found_by_another_tenant(look_up: Call, alex: Any, tenant_id: int) -> None:
    for identifier in ("alex@example.com", "+15551234567"):
        assert look_up(identifier, tenant=tenant_id + 1_000_000).status_code == 404


def test_a_phone_that_several_have_identifies_nobody(look_up: Call, call: Call, alex: Any) -> None:
    call("POST", "/customers", {"email": "sam@example.com", "phone": alex["phone"]})
    refused = look_up(alex["phone"])
    assert (refused.status_code, refused.json["error"]["reason"]) == (400, "ambiguous_identifier")
    assert list(refused.json["error"]["details"]) == ["identifier"]


def test_twelve_digits_with_a_plus_are_a_phone(look_up: Call, call: Call) -> None:
    customer = call("POST", "/customers", {"email": "berlin@example.com", "phone": "+493090182012"}).json["data"]
    found = look_up("+493090182012").json["data"]
    assert (found["id"], found["matched_by"]) == (customer["id"], "phone")


@pytest.mark.parametrize("query", [{}, {"identifier": ""}, {"identifier": "x" * 256}, {"identifier": "a\x00"}])
def test_an_identifier_is_one_line_of_text(call: Call, query: Any) -> None:
    refused = call("GET", "/customers/lookup", query_string=query)
    assert (refused.status_code, list(refused.json["error"]["details"])) == (400, ["identifier"])


def test_while_programs_is_down_only_member_numbers_wait(call: Call, look_up: Call, alex: Any) -> None:
    waiting = [look_up(identifier) for identifier in (NUMBER, NUMBER.replace("-", ""), f"loyalty:member:{NUMBER}")]
    for answer in (*waiting, call("GET", f"/customers/{alex['id']}/qr")):
        assert (answer.status_code, answer.json["error"]["code"]) == (503, "unavailable")
        assert "Retry-After" in answer.headers
    assert look_up("alex@example.com").status_code == 200
    assert look_up("+15551234567").status_code == 200


def test_programs_is_asked_outside_any_transaction(
    look_up: Call, call: Call, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, alex: Any
) -> None:
    programs: ServiceClient = client.application.extensions["programs"]
    pool, held, ask = client.application.extensions["engine"].pool, [], programs.get

    def watched(*arguments: Any, **options: Any) -> Any:
        held.append(pool.checkedout())
        return ask(*arguments, **options)

    monkeypatch.setattr(programs, "get", watched)
    look_up(NUMBER)
    call("GET", f"/customers/{alex['id']}/qr")
    assert held == [0, 0]


def test_who_is_not_there_is_404_whatever_is_asked(call: Call, alex: Any, tenant_id: int) -> None:
    for query in ("", "?format=gif", "?loyalty_card_id=x"):
        assert call("GET", f"/customers/999999999/qr{query}").status_code == 404
        assert call("GET", f"/customers/{alex['id']}/qr{query}", tenant=tenant_id + 1_000_000).status_code == 404


@pytest.mark.parametrize(("query", "field"), [("format=gif", "format"), ("loyalty_card_id=0", "loyalty_card_id")])
def test_a_picture_that_cannot_be_is_refused(call: Call, alex: Any, query: str, field: str) -> None:
    refused = call("GET", f"/customers/{alex['id']}/qr?{query}")
    assert (refused.status_code, list(refused.json["error"]["details"])) == (400, [field])
