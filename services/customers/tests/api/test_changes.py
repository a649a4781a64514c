import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, text

Call = Callable[..., Any]
ALEX = {
    "email": "alex@example.com",
    "name": "Alex Rivera",
    "phone": "+15551234567",
    "external_id": "crm-1",
    "metadata": {"tier": "gold", "shoe": "42"},
}
CAUSES = ("enrollment", "transaction", "stamp_transactions", "voucher_redemption", "erased_at")


@pytest.fixture
def alex(call: Call) -> Any:
    return call("POST", "/customers", ALEX).json["data"]


@pytest.fixture
def path(alex: Any) -> str:
    return f"/customers/{alex['id']}"


@pytest.fixture
def changes(engine: Engine, tenant_id: int) -> Callable[[], list[Any]]:
    """What was published of changes: rows of data and version."""

    def read() -> list[Any]:
        query = """select payload::json as data, version from outbox
                   where tenant_id = :t and event = 'customer.updated' order by version"""
        with engine.connect() as connection:
            return list(connection.execute(text(query), {"t": tenant_id}))

    return read


def test_what_is_sent_is_changed_answered_and_published_and_the_rest_stays(
    call: Call, alex: Any, path: str, changes: Callable[[], list[Any]]
) -> None:
    answer = call("PATCH", path, {"name": "Alex R.", "phone": "(555) 765-4321"})
    customer = answer.json["data"]
    updated_at = customer["updated_at"]
    assert answer.status_code == 200
    assert customer == {**alex, "name": "Alex R.", "phone": "+15557654321", "updated_at": updated_at}
    assert updated_at >= alex["updated_at"]
    assert call("GET", path).json["data"] == customer
    [event] = changes()
    person = {key: customer[key] for key in ("id", "name", "email", "phone")}
    causes = dict.fromkeys(CAUSES)
    assert event.data == {**customer, "customer": person, "source": "api", "changed": ["name", "phone"], **causes}
    assert event.version == 2


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"name": " Alex Rivera "},
        {**ALEX, "phone": "(555) 123-4567"},
        {"metadata": {"shoe": "42", "tier": "gold"}},
        {"colour": "red"},
    ],
)
def test_what_changes_nothing_is_answered_and_not_published(
    call: Call, alex: Any, path: str, changes: Callable[[], list[Any]], sent: Any
) -> None:
    answer = call("PATCH", path, sent)
    assert (answer.status_code, answer.json["data"]) == (200, alex)
    assert changes() == []


@pytest.mark.parametrize(
    ("sent", "after", "changed"),
    [
        ({"name": None}, {"name": None}, "name"),
        ({"name": ""}, {"name": None}, "name"),
        ({"phone": None}, {"phone": None}, "phone"),
        ({"external_id": None}, {"external_id": None}, "external_id"),
        ({"metadata": None}, {"metadata": {}}, "metadata"),
        ({"metadata": {"tier": "black"}}, {"metadata": {"tier": "black"}}, "metadata"),
        ({"email": "Alex@Example.com"}, {"email": "Alex@Example.com"}, "email"),
        ({"email": "new@example.com"}, {"email": "new@example.com"}, "email"),
    ],
)
def test_null_clears_and_metadata_is_replaced_whole(
    call: Call, alex: Any, path: str, changes: Callable[[], list[Any]], sent: Any, after: Any, changed: str
) -> None:
    customer = call("PATCH", path, sent).json["data"]
    assert customer == {**alex, **after, "updated_at": customer["updated_at"]}
    assert [event.data["changed"] for event in changes()] == [[changed]]


@pytest.mark.parametrize(
    ("sent", "field", "sentence"),
    [
        ({"email": None}, "email", "The email field is required."),
        ({"email": "alex"}, "email", "The email field must be a valid email address."),
        ({"phone": "12"}, "phone", "The phone field must be a possible phone number, such as +15551234567."),
        ({"email": "SAM@example.com"}, "email", "The email field is taken by another customer."),
        ({"external_id": "crm-2"}, "external_id", "The external id field is taken by another customer."),
    ],
)
def test_what_cannot_be_is_said_under_its_field_and_changes_nothing(
    call: Call, alex: Any, path: str, changes: Callable[[], list[Any]], sent: Any, field: str, sentence: str
) -> None:
    call("POST", "/customers", {"email": "sam@example.com", "external_id": "crm-2"})
    refused = call("PATCH", path, {"name": "Somebody", **sent})
    assert (refused.status_code, refused.json["error"]["details"]) == (400, {field: [sentence]})
    assert call("GET", path).json["data"] == alex
    assert changes() == []


@pytest.mark.parametrize("sent", [{"name": "A"}, {"name": ["A"]}, {"phone": "12"}, {}])
def test_who_is_not_there_is_404_before_anything_else(call: Call, path: str, tenant_id: int, sent: Any) -> None:
    assert call("PATCH", "/customers/999999999", sent).status_code == 404
    assert call("PATCH", path, sent, tenant=tenant_id + 1_000_000).status_code == 404


def test_a_changed_customer_is_searched_and_created_by_what_he_is_now(call: Call, alex: Any, path: str) -> None:
    call("PATCH", path, {"name": "Zoë", "email": "zoe@example.com"})
    assert call("GET", "/customers", query_string={"search": "ZOË"}).json["meta"]["total"] == 1
    assert call("GET", "/customers?search=alex").json["meta"]["total"] == 0
    assert call("POST", "/customers", {"email": "ZOE@example.com"}).json["data"]["id"] == alex["id"]


def test_a_repeated_request_changes_once_and_says_so(call: Call, path: str, changes: Callable[[], list[Any]]) -> None:
    first = call("PATCH", path, {"name": "A"}, key="k")
    call("PATCH", path, {"name": "B"})
    again = call("PATCH", path, {"name": "A"}, key="k")
    assert (again.json["data"], again.headers["Idempotent-Replayed"]) == (first.json["data"], "true")
    assert [event.data["name"] for event in changes()] == ["A", "B"]
    assert call("PATCH", path, {"name": "C"}, key="k").json["error"]["reason"] == "idempotency_key_reused"


def test_twenty_changes_at_once_are_all_made_in_one_order(
    call: Call, alex: Any, path: str, changes: Callable[[], list[Any]]
) -> None:
    with ThreadPoolExecutor(20) as clerks:
        answers = list(clerks.map(lambda n: call("PATCH", path, {"metadata": {"n": str(n)}}), range(20)))
    assert {answer.status_code for answer in answers} == {200}
    published = changes()
    assert [event.version for event in published] == list(range(2, 22))
    assert call("GET", path).json["data"]["metadata"] == published[-1].data["metadata"]


def test_of_ten_customers_who_want_one_email_at_once_one_gets_it(call: Call) -> None:
    people = [call("POST", "/customers", {"email": f"c{n}@example.com"}).json["data"]["id"] for n in range(10)]
    with ThreadPoolExecutor(10) as clerks:
        answers = list(clerks.map(lambda n: call("PATCH", f"/customers/{n}", {"email": "vip@example.com"}), people))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 9
    assert {next(iter(answer.json["error"]["details"])) for answer in answers if answer.status_code == 400} == {"email"}


@pytest.mark.parametrize("round_", range(5))
def test_a_change_at_the_moment_of_erasure_is_made_before_it_or_finds_nobody(
    call: Call, engine: Engine, tenant_id: int, path: str, changes: Callable[[], list[Any]], round_: int
) -> None:
    start = threading.Barrier(9)

    def change(clerk: int) -> Any:
        start.wait()
        return call("PATCH", path, {"name": f"Alex Rivera {clerk}", "email": f"alex{clerk}@example.com"})

    def erase() -> Any:
        start.wait()
        return call("DELETE", path)

    with ThreadPoolExecutor(9) as pool:
        changed = [pool.submit(change, clerk) for clerk in range(8)]
        assert pool.submit(erase).result().status_code == 200
        statuses = [answer.result().status_code for answer in changed]
    assert set(statuses) <= {200, 404}
    assert call("GET", path).status_code == 404
    published = changes()
    assert [event.version for event in published] == list(range(2, statuses.count(200) + 3))
    assert [event.version for event in published if event.data["erased_at"]] == [published[-1].version]
    with engine.connect() as connection:
        for table in ("customers", "idempotency", "outbox"):
            kept = connection.execute(text(f"select * from {table} where tenant_id = :t"), {"t": tenant_id})
            assert "rivera" not in str(kept.all()).lower()
