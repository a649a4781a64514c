"""POST, GET /vouchers, as an integrator sees them."""

import re
from collections.abc import Callable
from typing import Any

import pytest

Call = Callable[..., Any]
SPRING = {
    "name": "Spring Savings",
    "partner_location_id": 2,
    "voucher_code": "SPRING20",
    "valid_from": "2026-03-01",
    "valid_until": "2026-05-31",
    "discount_type": "percent",
    "discount_value": 20,
    "is_active": True,
}


@pytest.fixture(autouse=True)
def _riverside(locate: Callable[..., None]) -> None:
    locate(2)


def test_a_new_voucher_is_answered_as_the_reference_shows(call: Call) -> None:
    response = call("POST", "/vouchers", SPRING)
    assert response.status_code == 201
    voucher = response.json["data"]
    assert list(voucher)[:8] == [
        "id",
        "name",
        "voucher_code",
        "is_active",
        "discount_type",
        "discount_value",
        "valid_from",
        "valid_until",
    ]
    assert {name: value for name, value in voucher.items() if name not in ("id", "created_at", "updated_at")} == {
        **SPRING,
        "discount_value": "20.00",
        "currency": "USD",
        "minimum_order_amount": None,
        "max_discount_amount": None,
        "max_redemptions": None,
        "max_redemptions_per_customer": None,
        "redemptions_count": 0,
        "voucher_batch_id": None,
    }
    assert voucher["created_at"] == voucher["updated_at"]
    assert call("GET", f"/vouchers/{voucher['id']}").json["data"] == voucher


def test_every_setting_comes_back(call: Call) -> None:
    settings = {
        "currency": "JPY",
        "discount_type": "fixed",
        "discount_value": "500",
        "minimum_order_amount": 1000,
        "max_discount_amount": "400.0",
        "max_redemptions": 100,
        "max_redemptions_per_customer": "2",
        "is_active": False,
        "valid_from": None,
    }
    voucher = call("POST", "/vouchers", {**SPRING, **settings}).json["data"]
    shown = {"discount_value": "500.00", "minimum_order_amount": "1000.00", "max_discount_amount": "400.00"}
    assert voucher | {**settings, **shown, "max_redemptions_per_customer": 2} == voucher


def test_without_a_code_each_voucher_gets_one_that_nobody_misreads(call: Call) -> None:
    codes = [call("POST", "/vouchers", {**SPRING, "voucher_code": None}).json["data"]["voucher_code"] for _ in range(5)]
    assert len(set(codes)) == 5
    assert all(re.fullmatch("[A-HJ-NP-Z2-9]{10}", code) for code in codes)


def test_a_code_is_taken_in_any_case_and_a_key_is_used_but_only_within_their_tenant(
    call: Call, tenant_id: int, owners: Any
) -> None:
    assert call("POST", "/vouchers", SPRING, key="k").status_code == 201
    taken = call("POST", "/vouchers", {**SPRING, "voucher_code": "spring20"})
    assert taken.status_code == 400
    assert taken.json["error"]["details"] == {"voucher_code": ["The voucher code has already been taken."]}
    stranger = tenant_id + 1_000_000
    owners.locations[stranger] = [{"id": 2, "name": "Elsewhere", "time_zone": "UTC", "is_active": True}]
    elsewhere = call("POST", "/vouchers", SPRING, tenant=stranger, key="k")
    assert (elsewhere.status_code, "Idempotent-Replayed" in elsewhere.headers) == (201, False)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": None}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"partner_location_id": None}, "partner_location_id"),
        ({"partner_location_id": 99}, "partner_location_id"),
        ({"discount_type": "free"}, "discount_type"),
        ({"discount_type": None}, "discount_type"),
        ({"discount_value": None}, "discount_value"),
        ({"discount_value": 0}, "discount_value"),
        ({"discount_value": "100.01"}, "discount_value"),
        ({"discount_value": "NaN"}, "discount_value"),
        ({"voucher_code": "SPRING 20"}, "voucher_code"),
        ({"voucher_code": "x" * 65}, "voucher_code"),
        ({"voucher_code": "ÄPFEL"}, "voucher_code"),
        ({"valid_until": "2026-02-28"}, "valid_until"),
        ({"valid_from": "2026-02-30"}, "valid_from"),
        ({"currency": "US"}, "currency"),
        ({"max_redemptions": 0}, "max_redemptions"),
        ({"max_redemptions": 1.5}, "max_redemptions"),
        ({"max_redemptions_per_customer": -1}, "max_redemptions_per_customer"),
        ({"minimum_order_amount": "1.001"}, "minimum_order_amount"),
        ({"max_discount_amount": "99999999999"}, "max_discount_amount"),
        ({"is_active": "yes"}, "is_active"),
    ],
)
def test_what_is_wrong_is_said_under_its_field(changed: dict[str, Any], field: str, call: Call) -> None:
    response = call("POST", "/vouchers", {**SPRING, **changed})
    assert response.status_code == 400
    assert (response.json["error"]["code"], list(response.json["error"]["details"])) == ("validation_error", [field])


def test_what_was_created_with_a_key_is_not_created_again(call: Call) -> None:
    first = call("POST", "/vouchers", {**SPRING, "voucher_code": None}, key="k")
    again = call("POST", "/vouchers", {**SPRING, "voucher_code": None, "discount_value": 20.0}, key="k")
    other = call("POST", "/vouchers", {**SPRING, "voucher_code": None, "discount_value": 21}, key="k")
    assert again.json["data"] == first.json["data"]
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert (other.status_code, other.json["error"]["reason"]) == (400, "idempotency_key_reused")


def test_the_list_pages_newest_first_with_links_of_the_public_address(call: Call) -> None:
    created = [call("POST", "/vouchers", {**SPRING, "voucher_code": f"V{n}"}).json["data"] for n in range(5)]
    page = call("GET", "/vouchers?per_page=2&page=2").json
    assert page["data"] == [created[2], created[1]]
    assert page["meta"] | {"current_page": 2, "last_page": 3, "per_page": 2, "total": 5} == page["meta"]
    assert page["links"] == {
        "first": "https://loyalty.test/api/v1/vouchers?per_page=2&page=1",
        "last": "https://loyalty.test/api/v1/vouchers?per_page=2&page=3",
        "prev": "https://loyalty.test/api/v1/vouchers?per_page=2&page=1",
        "next": "https://loyalty.test/api/v1/vouchers?per_page=2&page=3",
    }


def test_a_cursor_walks_the_whole_list_once(call: Call) -> None:
    created = [call("POST", "/vouchers", {**SPRING, "voucher_code": f"V{n}"}).json["data"]["id"] for n in range(5)]
    walked, following = [], "https://loyalty.test/api/v1/vouchers?per_page=2&cursor="
    while following:
        page = call("GET", following.removeprefix("https://loyalty.test/api/v1")).json
        walked += [voucher["id"] for voucher in page["data"]]
        following = page["links"]["next"]
    assert walked == created[::-1]


def test_another_tenant_sees_no_voucher_on_any_route(call: Call, tenant_id: int) -> None:
    voucher = call("POST", "/vouchers", SPRING).json["data"]
    stranger = tenant_id + 1_000_000
    assert call("GET", f"/vouchers/{voucher['id']}", tenant=stranger).status_code == 404
    assert call("GET", "/vouchers", tenant=stranger).json["meta"]["total"] == 0
    order = {"customer_id": 1042, "order_amount": 45}
    assert call("POST", f"/vouchers/{voucher['id']}/redeem", order, tenant=stranger).status_code == 404
    assert call("POST", f"/vouchers/{voucher['id']}/redeem", {}, tenant=stranger).status_code == 404


def test_another_organizations_location_cannot_be_named(call: Call, tenant_id: int) -> None:
    stranger = tenant_id + 1_000_000
    response = call("POST", "/vouchers", SPRING, tenant=stranger)
    assert (response.status_code, list(response.json["error"]["details"])) == (400, ["partner_location_id"])


def test_without_a_signed_identity_nothing_opens(call: Call) -> None:
    for forged in ("", "Bearer x.y.z"):
        assert call("GET", "/vouchers", headers={"Authorization": forged}).status_code == 401
