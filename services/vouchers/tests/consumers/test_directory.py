"""What the customers service and the gateway publish is what redemptions go by."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from loyalty_testing.keys import IdentityKeys

Call = Callable[..., Any]
Deliver = Callable[..., Any]


@pytest.fixture
def deliver(client: FlaskClient, identity_keys: IdentityKeys) -> Deliver:
    """Hands messages over as a relay does."""

    def post(*messages: Any) -> Any:
        headers = {"Authorization": f"Bearer {identity_keys.signer('customers').mint('vouchers')}"}
        return client.post("/internal/events", json={"messages": messages}, headers=headers)

    return post


@pytest.fixture
def message(tenant_id: int) -> Callable[..., dict[str, Any]]:
    def published(data: dict[str, Any], **changed: Any) -> dict[str, Any]:
        return {
            "id": str(uuid.uuid4()),
            "event": "customer.updated",
            "publisher": "customers",
            "tenant_id": tenant_id,
            "version": 2,
            "created_at": "2026-05-16T10:00:00+00:00",
            "data": data,
            **changed,
        }

    return published


def test_a_customer_who_was_announced_can_redeem(
    deliver: Deliver, message: Call, person: Call, new_voucher: Call, call: Call
) -> None:
    voucher = new_voucher()
    announced = message({**person(), "customer": {}, "source": "api"}, event="customer.created", version=1)
    assert deliver(announced).json["data"] == {"rejected": []}
    order = {"customer_email": "ALEX@example.com", "order_amount": 45}
    assert call("POST", f"/vouchers/{voucher['id']}/redeem", order).status_code == 201


def test_a_new_address_replaces_the_old_one(
    deliver: Deliver, message: Call, person: Call, new_voucher: Call, redeem: Call
) -> None:
    voucher = new_voucher()
    deliver(message({**person(email="rivera@example.com"), "erased_at": None}))
    assert redeem(voucher).json["error"]["reason"] == "customer_not_found"
    assert redeem(voucher, customer_email="rivera@example.com").status_code == 201


def test_news_that_were_overtaken_change_nothing(
    deliver: Deliver, message: Call, person: Call, new_voucher: Call, redeem: Call
) -> None:
    voucher = new_voucher()
    late = message(person(email="old@example.com"), version=1)
    deliver(message(person(email="new@example.com")), late)
    assert redeem(voucher, customer_email="new@example.com").status_code == 201
    assert redeem(voucher, customer_email="old@example.com").status_code == 400


def test_late_news_do_not_bring_an_erased_customer_back(
    deliver: Deliver, message: Call, person: Call, new_voucher: Call, redeem: Call
) -> None:
    voucher = new_voucher()
    erased = person(name=None, email=None, phone=None, erased_at="2026-06-01T09:00:00+00:00")
    deliver(message(erased, version=3))
    deliver(message(person(), version=2))
    assert redeem(voucher, customer_id=1042).json["error"]["reason"] == "customer_not_found"
    assert redeem(voucher).json["error"]["reason"] == "customer_not_found"


def test_only_the_owner_of_customers_is_believed(
    deliver: Deliver, message: Call, person: Call, new_voucher: Call, redeem: Call
) -> None:
    voucher = new_voucher()
    assert deliver(message(person(email="x@example.com"), publisher="programs")).status_code == 200
    assert redeem(voucher).status_code == 201


def test_a_location_that_moved_moves_the_days_of_its_vouchers(
    deliver: Deliver, message: Call, new_voucher: Call, redeem: Call, tenant_id: int, clock: Callable[[int], str]
) -> None:
    # Kiritimati is 14 hours ahead of UTC, Pago Pago 11 behind: there is always a day between them.
    voucher = new_voucher(valid_until=clock(-1)[:10])
    location = {"id": 2, "name": "Riverside", "is_active": True, "organization_id": tenant_id}
    answers = []
    for version, time_zone in ((2, "Pacific/Kiritimati"), (3, "Pacific/Pago_Pago")):
        moved = {**location, "time_zone": time_zone}
        deliver(message(moved, event="internal.location_updated", publisher="gateway", version=version))
        answers.append(redeem(voucher, occurred_at=clock(-1)[:10] + "T23:00:00+00:00"))
    assert answers[0].json["error"]["reason"] == "voucher_expired"
    assert answers[1].status_code == 201


def test_what_the_gateway_says_of_organizations_is_taken_and_left(deliver: Deliver, message: Call) -> None:
    news = message({"id": 1}, event="internal.organization_updated", publisher="gateway", version=None)
    assert deliver(news).json["data"] == {"rejected": []}


def test_poison_is_named_and_holds_up_nobody_else(
    deliver: Deliver, message: Call, person: Call, new_voucher: Call, redeem: Call
) -> None:
    voucher = new_voucher()
    poison = [message({"id": 5}), message(person(), version=None), {"id": "no message"}]
    answer = deliver(poison[0], message(person(id=8, email="kim@example.com")), *poison[1:])
    assert {rejected["id"] for rejected in answer.json["data"]["rejected"]} == {broken["id"] for broken in poison}
    assert redeem(voucher, customer_id=8).status_code == 201


def test_a_body_without_messages_is_refused(client: FlaskClient, identity_keys: IdentityKeys) -> None:
    headers = {"Authorization": f"Bearer {identity_keys.signer('customers').mint('vouchers')}"}
    assert client.post("/internal/events", json=[], headers=headers).status_code == 400


def test_the_gateways_callers_do_not_open_this_door(client: FlaskClient, gateway_token: Callable[..., str]) -> None:
    headers = {"Authorization": f"Bearer {gateway_token('vouchers')}"}
    assert client.post("/internal/events", json={"messages": []}, headers=headers).status_code == 401
