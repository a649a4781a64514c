from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, text

Call = Callable[..., Any]
ALEX = {"email": "alex@example.com", "name": "Alex Rivera", "phone": "+15551234567"}


def events(engine: Engine, tenant_id: int) -> list[Any]:
    with engine.connect() as connection:
        query = text(
            "select event, payload::json as data, version from outbox where tenant_id = :t order by created_at"
        )
        return list(connection.execute(query, {"t": tenant_id}))


def test_a_new_customer_is_answered_as_the_reference_shows_and_published_once(
    call: Call, engine: Engine, tenant_id: int
) -> None:
    response = call("POST", "/customers", ALEX)
    assert response.status_code == 201
    customer = response.json["data"]
    assert customer | ALEX == customer
    assert list(customer)[:5] == ["id", "name", "email", "phone", "external_id"]
    assert customer["created_at"].endswith("+00:00")
    assert customer["metadata"] == {}
    assert response.json["meta"] == {"request_id": response.headers["X-Request-Id"]}
    [event] = events(engine, tenant_id)
    person = {key: customer[key] for key in ("id", "name", "email", "phone")}
    assert (event.event, event.version) == ("customer.created", 1)
    assert event.data == {**customer, "customer": person, "source": "api"}


def test_the_same_address_in_any_case_returns_the_stored_profile_untouched(
    call: Call, engine: Engine, tenant_id: int
) -> None:
    first = call("POST", "/customers", ALEX).json["data"]
    again = call("POST", "/customers", {"email": "  ALEX@example.COM ", "name": "Somebody Else"})
    assert again.status_code == 200
    assert again.json["data"] == first
    assert len(events(engine, tenant_id)) == 1


def test_fifty_tills_creating_one_customer_at_once_make_one(call: Call, engine: Engine, tenant_id: int) -> None:
    with ThreadPoolExecutor(50) as tills:
        answers = list(tills.map(lambda till: call("POST", "/customers", ALEX, key=f"till-{till}"), range(50)))
    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [201]
    assert len({answer.json["data"]["id"] for answer in answers}) == 1
    assert len(events(engine, tenant_id)) == 1


def test_fifty_repetitions_of_one_request_get_one_answer(call: Call, engine: Engine, tenant_id: int) -> None:
    with ThreadPoolExecutor(50) as attempts:
        answers = list(attempts.map(lambda _: call("POST", "/customers", ALEX, key="order-1"), range(50)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json["data"]["id"] for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    assert len(events(engine, tenant_id)) == 1


def test_a_key_used_for_another_request_is_refused(call: Call) -> None:
    call("POST", "/customers", ALEX, key="k")
    reused = call("POST", "/customers", {**ALEX, "name": "Sam"}, key="k")
    assert reused.status_code == 400
    assert reused.json["error"]["reason"] == "idempotency_key_reused"


def test_a_refused_request_leaves_its_key_free(call: Call) -> None:
    assert call("POST", "/customers", {"email": "nobody"}, key="k").status_code == 400
    assert call("POST", "/customers", ALEX, key="k").status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "clé", "a\tb"])
def test_a_key_must_be_printable_and_of_a_length(call: Call, key: str) -> None:
    response = call("POST", "/customers", ALEX, key=key)
    assert response.status_code == 400
    assert list(response.json["error"]["details"]) == ["Idempotency-Key"]


@pytest.mark.parametrize(
    ("sent", "field", "sentence"),
    [
        ({}, "email", "The email field is required."),
        ({"email": "alex"}, "email", "The email field must be a valid email address."),
        ({**ALEX, "phone": "12"}, "phone", "The phone field must be a possible phone number, such as +15551234567."),
        ({**ALEX, "metadata": {"a": 1}}, "metadata", None),
        ({**ALEX, "name": ["Alex"]}, "name", "The name field must be a string."),
    ],
)
def test_what_is_wrong_is_said_under_its_field(
    call: Call, sent: dict[str, Any], field: str, sentence: str | None
) -> None:
    response = call("POST", "/customers", sent)
    assert response.status_code == 400
    assert response.json["error"]["code"] == "validation_error"
    assert list(response.json["error"]["details"]) == [field]
    assert sentence is None or response.json["error"]["details"][field] == [sentence]


def test_an_external_id_belongs_to_one_customer(call: Call) -> None:
    assert call("POST", "/customers", {**ALEX, "external_id": "crm-1"}).status_code == 201
    taken = call("POST", "/customers", {"email": "sam@example.com", "external_id": "crm-1"})
    assert list(taken.json["error"]["details"]) == ["external_id"]


def test_unknown_fields_are_named_in_warnings(call: Call) -> None:
    warnings = call("POST", "/customers", {**ALEX, "colour": "red"}).json["meta"]["warnings"]
    assert warnings == [{"field": "colour", "message": "The colour field is unknown and was ignored."}]


def test_a_national_number_is_read_in_the_organizations_country(call: Call) -> None:
    customer = call("POST", "/customers", {**ALEX, "phone": "(555) 123-4567"}).json["data"]
    assert customer["phone"] == "+15551234567"


def test_a_customer_is_found_by_id_only_by_his_own_tenant(call: Call, tenant_id: int) -> None:
    customer = call("POST", "/customers", ALEX).json["data"]
    assert call("GET", f"/customers/{customer['id']}").json["data"] == customer
    elsewhere = call("GET", f"/customers/{customer['id']}", tenant=tenant_id + 1_000_000)
    assert (elsewhere.status_code, elsewhere.json["error"]["code"]) == (404, "not_found")
    assert call("GET", "/customers", tenant=tenant_id + 1_000_000).json["meta"]["total"] == 0


@pytest.mark.parametrize("path", ["/customers/0", "/customers/01", "/customers/abc", "/customers/" + "9" * 30, "/x"])
def test_a_path_that_names_nothing_is_404_in_the_envelope(call: Call, path: str) -> None:
    response = call("GET", path)
    assert (response.status_code, response.json["error"]["code"]) == (404, "not_found")


def test_a_wrong_method_is_405_with_what_is_allowed(call: Call) -> None:
    response = call("DELETE", "/customers")
    assert response.status_code == 405
    assert {"GET", "POST"} <= set(response.headers["Allow"].split(", "))
