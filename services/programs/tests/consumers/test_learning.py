"""What this service learns from the events of others, whichever way they come."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from loyalty_common.messaging.message import Message
from loyalty_programs.consumers import handler
from loyalty_testing.keys import IdentityKeys

Call = Callable[..., Any]
Message_ = Callable[..., Message]
AT = "2026-04-02T14:30:00+00:00"
ALEX = {
    "id": 1042,
    "name": "Alex Rivera",
    "email": "Alex@Example.com",
    "phone": "+15551234567",
    "external_id": None,
    "metadata": {},
    "created_at": AT,
    "updated_at": AT,
}


@pytest.fixture
def message(tenant_id: int) -> Message_:
    def make(event: str, data: Any, *, version: int | None = 1, publisher: str = "customers") -> Message:
        return Message(
            id=uuid.uuid4(),
            event=event,
            publisher=publisher,
            tenant_id=tenant_id,
            version=version,
            created_at=datetime.now(UTC),
            data=data,
        )

    return make


@pytest.fixture
def handle(engine: Engine) -> Callable[[list[Message]], None]:
    return handler(engine)


@pytest.fixture
def known(rows: Callable[[str], Any]) -> Callable[[], Any]:
    query = "select email, profile, version, erased_at from customer_directory where tenant_id = :tenant_id"
    return lambda: rows(query)


def created(customer: Any) -> dict[str, Any]:
    person = {key: customer[key] for key in ("id", "name", "email", "phone")}
    return {**customer, "customer": person, "source": "api"}


def updated(customer: Any, **more: Any) -> dict[str, Any]:
    causes = dict.fromkeys(("enrollment", "transaction", "stamp_transactions", "voucher_redemption", "erased_at"))
    return {**created(customer), "changed": ["name"], **causes, **more}


def test_a_new_customer_is_known_by_the_object_and_the_address(
    handle: Any, message: Message_, known: Callable[[], Any]
) -> None:
    handle([message("customer.created", created(ALEX))])
    [row] = known()
    assert (row.email, row.profile, row.version, row.erased_at) == ("alex@example.com", ALEX, 1, None)


def test_an_older_event_that_comes_late_changes_nothing(
    handle: Any, message: Message_, known: Callable[[], Any]
) -> None:
    handle([message("customer.updated", updated({**ALEX, "name": "Alex R."}), version=3)])
    handle([message("customer.updated", updated({**ALEX, "name": "A."}), version=2)])
    [row] = known()
    assert (row.profile["name"], row.version) == ("Alex R.", 3)


def test_an_erased_customer_stays_erased_and_cannot_be_named(
    call: Call, handle: Any, message: Message_, known: Callable[[], Any], insider: Callable[..., int]
) -> None:
    handle([message("customer.created", created(ALEX))])
    nobody = {**ALEX, "name": None, "email": None, "phone": None, "external_id": None}
    handle([message("customer.updated", updated(nobody, erased_at=AT, changed=["erased_at"]), version=4)])
    handle([message("customer.updated", updated(ALEX), version=3)])
    [row] = known()
    assert (row.email, row.profile, row.version) == (None, nobody, 4)
    refused = call("POST", f"/loyalty-cards/{insider()}/enrollments", {"customer_id": 1042})
    assert (refused.status_code, refused.json["error"]["reason"]) == (400, "customer_not_found")


def test_a_message_counts_once(handle: Any, message: Message_, known: Callable[[], Any], engine: Engine) -> None:
    first = message("customer.created", created(ALEX))
    handle([first])
    with engine.begin() as connection:
        connection.execute(text("delete from customer_directory where tenant_id = :t"), {"t": first.tenant_id})
    handle([first, first])
    assert known() == []


def test_the_events_of_other_publishers_say_nothing_about_profiles(
    handle: Any, message: Message_, known: Callable[[], Any]
) -> None:
    for publisher in ("programs", "vouchers", "somebody"):
        handle([message("customer.updated", updated(ALEX), version=None, publisher=publisher)])
    handle([message("customer.forgotten", {"id": 1042})])
    assert known() == []


def test_a_batch_is_handled_whole_or_not_at_all(handle: Any, message: Message_, known: Callable[[], Any]) -> None:
    with pytest.raises(KeyError):
        handle([message("customer.created", created(ALEX)), message("customer.created", {"name": "nobody"})])
    assert known() == []


def test_a_location_is_known_by_its_organization(handle: Any, message: Message_, rows: Callable[[str], Any]) -> None:
    organization = 9_000_000
    location = {"id": 3, "name": "Harbour", "time_zone": "Europe/Berlin", "is_active": True}
    data = {**location, "organization_id": organization, "created_at": AT, "updated_at": AT}
    handle([message("internal.location_updated", data, version=2, publisher="gateway")])
    handle([message("internal.location_updated", {**data, "name": "Old"}, version=1, publisher="gateway")])
    handle([message("internal.organization_updated", {"id": organization}, publisher="gateway")])
    [row] = rows(f"select name, time_zone, version from location_directory where organization_id = {organization}")
    assert tuple(row) == ("Harbour", "Europe/Berlin", 2)


@pytest.fixture
def deliver(client: FlaskClient, identity_keys: IdentityKeys) -> Callable[[Any], Any]:
    """As the relay of the customers service delivers where there is no broker."""

    def post(body: Any, *, signer: str = "customers", audience: str = "programs") -> Any:
        token = identity_keys.signer(signer).mint(audience)
        return client.post("/internal/events", json=body, headers={"Authorization": f"Bearer {token}"})

    return post


def test_events_over_http_are_learned_and_the_bad_ones_named(
    deliver: Any, message: Message_, known: Callable[[], Any]
) -> None:
    good, bad = message("customer.created", created(ALEX)), message("customer.created", {"name": "nobody"})
    batch = [{**vars_of(good)}, {**vars_of(bad)}, {"id": "no message"}]
    answer = deliver({"messages": batch})
    assert answer.status_code == 200
    assert {rejected["id"] for rejected in answer.json["data"]["rejected"]} == {str(bad.id), "no message"}
    assert [row.profile for row in known()] == [ALEX]


def vars_of(message: Message) -> dict[str, Any]:
    return {name: getattr(message, name) for name in Message.__slots__} | {
        "id": str(message.id),
        "created_at": message.created_at.isoformat(),
    }


@pytest.mark.parametrize("body", [[], {}, {"message": []}, "text"])
def test_a_batch_that_is_none_is_refused(deliver: Any, body: Any) -> None:
    assert deliver(body).status_code == 400


@pytest.mark.parametrize(("signer", "audience"), [("gateway", "programs"), ("customers", "vouchers")])
def test_the_inner_door_opens_to_services_only(deliver: Any, signer: str, audience: str) -> None:
    answer = deliver({"messages": []}, signer=signer, audience=audience)
    assert (answer.status_code, answer.json["error"]["code"]) == (401, "unauthenticated")
