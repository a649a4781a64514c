"""What the directory has not heard of is asked of its owner, once."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from loyalty_vouchers.app import create_app
from loyalty_vouchers.settings import Settings

Call = Callable[..., Any]
RIVERSIDE = {"id": 2, "name": "Riverside", "time_zone": "America/New_York", "is_active": True}
SPRING = {"name": "Spring Savings", "partner_location_id": 2, "discount_type": "percent", "discount_value": 20}


@pytest.mark.parametrize("named", [{"customer_id": 1042}, {"customer_email": "Alex@Example.com"}])
def test_a_customer_created_a_millisecond_ago_can_redeem(
    named: dict[str, Any], new_voucher: Call, call: Call, owners: Any, person: Call, tenant_id: int
) -> None:
    voucher = new_voucher()
    owners.customers[tenant_id] = [person()]
    redemption = {**named, "order_amount": 45}
    assert call("POST", f"/vouchers/{voucher['id']}/redeem", redemption).status_code == 201
    # Asked once: the second time the directory knows.
    del owners.customers[tenant_id]
    assert call("POST", f"/vouchers/{voucher['id']}/redeem", redemption).status_code == 201


def test_a_location_of_the_organization_is_found_at_its_owner(call: Call, owners: Any, tenant_id: int) -> None:
    owners.locations[tenant_id] = [RIVERSIDE]
    assert call("POST", "/vouchers", SPRING).status_code == 201
    owners.locations[tenant_id] = []
    assert call("POST", "/vouchers", SPRING).status_code == 201


def test_a_till_may_stand_in_another_location_of_the_organization(
    new_voucher: Call, redeem: Call, owners: Any, tenant_id: int
) -> None:
    owners.locations[tenant_id] = [{**RIVERSIDE, "id": 3, "name": "Airport"}]
    assert redeem(new_voucher(), partner_location_id=3).json["data"]["partner_location_id"] == 3


def test_an_address_that_two_customers_claim_redeems_for_neither(
    new_voucher: Call, redeem: Call, know: Call, person: Call
) -> None:
    voucher = new_voucher()
    know(person(id=7, name="Sam"))
    answer = redeem(voucher, customer_email="alex@example.com")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert redeem(voucher, customer_id=7).status_code == 201


@pytest.fixture
def app_alone(settings: Settings) -> Iterator[Flask]:
    """The service while customers and the gateway are down."""
    alone = replace(settings, customers_url="http://127.0.0.1:1", gateway_internal_url="http://127.0.0.1:1")
    app = create_app(alone)
    yield app
    app.extensions["engine"].dispose()


def test_redemptions_go_on_while_the_owners_are_down(
    app_alone: Flask, new_voucher: Call, gateway_token: Call, tenant_id: int, know: Call, person: Call
) -> None:
    voucher = new_voucher()
    know(person())
    token = gateway_token("vouchers", tenant_id=tenant_id, organization_id=tenant_id)
    path, headers = f"/v1/vouchers/{voucher['id']}/redeem", {"Authorization": f"Bearer {token}"}
    client = app_alone.test_client()
    known = client.post(path, json={"customer_id": 1042, "order_amount": 45}, headers=headers)
    unknown = client.post(path, json={"customer_id": 7, "order_amount": 45}, headers=headers)
    assert (known.status_code, unknown.status_code) == (201, 503)
    assert unknown.json["error"]["code"] == "unavailable"
    assert "Retry-After" in unknown.headers
