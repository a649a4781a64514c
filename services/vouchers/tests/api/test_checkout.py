"""By code, and asking beforehand."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

Call = Callable[..., Any]
ORDER = {"customer_id": 1042, "order_amount": 45}


@pytest.fixture(autouse=True)
def _alex(know: Call, person: Call) -> None:
    know(person())


def written(engine: Engine, tenant_id: int) -> list[int]:
    tables = ("redemptions", "outbox", "idempotency")
    with engine.connect() as connection:
        return [
            connection.execute(text(f"select count(*) from {table} where tenant_id = {tenant_id}")).scalar_one()
            for table in tables
        ]


@pytest.mark.parametrize("code", ["SPRING20", "spring20", "  Spring20 "])
def test_a_code_is_redeemed_in_any_case(code: str, new_voucher: Call, call: Call) -> None:
    voucher = new_voucher(voucher_code="SPRING20")
    answer = call("POST", "/vouchers/redeem", {**ORDER, "voucher_code": code})
    assert answer.status_code == 201
    redemption = answer.json["data"]
    assert (redemption["voucher_id"], redemption["voucher_code"]) == (voucher["id"], "SPRING20")


@pytest.mark.parametrize("path", ["/vouchers/redeem", "/vouchers/validate"])
@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("NONE", "The voucher code does not exist."),
        ("what?", "The voucher code does not exist."),
        (None, "The voucher code field is required."),
    ],
)
def test_an_unknown_code_is_said_under_its_field(
    path: str, code: str | None, sentence: str, new_voucher: Call, call: Call, tenant_id: int
) -> None:
    new_voucher(voucher_code="SPRING20")
    answer = call("POST", path, {**ORDER, "voucher_code": code})
    assert (answer.status_code, answer.json["error"]["details"]) == (400, {"voucher_code": [sentence]})
    elsewhere = call("POST", path, {**ORDER, "voucher_code": "SPRING20"}, tenant=tenant_id + 1_000_000)
    assert list(elsewhere.json["error"]["details"]) == ["voucher_code"]


def test_by_code_and_by_id_are_one_voucher_with_one_memory_of_orders(
    new_voucher: Call, redeem: Call, call: Call
) -> None:
    voucher = new_voucher(voucher_code="SPRING20", max_redemptions=1)
    first = redeem(voucher, order_reference="POS-1").json["data"]
    again = call("POST", "/vouchers/redeem", {**ORDER, "voucher_code": "spring20", "order_reference": "POS-1"})
    assert (again.status_code, again.json["data"], again.json["meta"]["duplicate"]) == (200, first, True)
    full = call("POST", "/vouchers/redeem", {**ORDER, "voucher_code": "spring20"})
    assert full.json["error"]["reason"] == "voucher_limit_reached"


def test_by_code_too_the_same_key_redeems_once(new_voucher: Call, call: Call) -> None:
    new_voucher(voucher_code="SPRING20")
    sent = {**ORDER, "voucher_code": "SPRING20"}
    first, again = (call("POST", "/vouchers/redeem", sent, key="k") for _ in range(2))
    assert again.json["data"] == first.json["data"]
    assert again.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("by_code", [False, True])
def test_a_voucher_is_worth_before_what_it_is_worth_then(
    by_code: bool, new_voucher: Call, redeem: Call, call: Call, engine: Engine, tenant_id: int
) -> None:
    voucher = new_voucher(voucher_code="SPRING20", max_discount_amount=5)
    before = written(engine, tenant_id)
    if by_code:
        answer = call("POST", "/vouchers/validate", {**ORDER, "voucher_code": "spring20"})
    else:
        answer = call("POST", f"/vouchers/{voucher['id']}/validate", ORDER, key="k")
    assert answer.status_code == 200
    assert answer.json["data"] == {
        "valid": True,
        "reason": None,
        "message": "This voucher takes 5.00 USD off the order.",
        "voucher_id": voucher["id"],
        "voucher_code": "SPRING20",
        "order_amount": "45.00",
        "discount_amount": "5.00",
        "currency": "USD",
    }
    assert written(engine, tenant_id) == before
    assert redeem(voucher).json["data"]["discount_amount"] == "5.00"


@pytest.mark.parametrize(
    ("voucher_settings", "sent", "reason"),
    [
        ({"is_active": False}, {}, "voucher_inactive"),
        ({"valid_from": "2999-01-01"}, {}, "voucher_not_yet_valid"),
        ({"valid_until": "2026-05-31"}, {}, "voucher_expired"),
        ({"minimum_order_amount": "45.01"}, {}, "minimum_order_not_met"),
        ({"max_redemptions": 1}, {}, "voucher_limit_reached"),
        ({"max_redemptions_per_customer": 1}, {}, "voucher_already_redeemed"),
        ({}, {"currency": "EUR"}, "currency_mismatch"),
    ],
)
def test_what_would_be_refused_is_an_answer_with_the_same_reason_and_sentence(
    voucher_settings: dict[str, Any], sent: dict[str, Any], reason: str, new_voucher: Call, redeem: Call, call: Call
) -> None:
    voucher = new_voucher(**voucher_settings)
    redeem(voucher)
    answer = call("POST", f"/vouchers/{voucher['id']}/validate", {**ORDER, **sent})
    assert answer.status_code == 200
    said = answer.json["data"]
    assert (said["valid"], said["reason"], said["discount_amount"]) == (False, reason, "0.00")
    refused = call("POST", f"/vouchers/{voucher['id']}/redeem", {**ORDER, **sent}).json["error"]
    assert (refused["reason"], refused["message"]) == (said["reason"], said["message"])


def test_without_a_customer_only_his_own_limit_is_not_asked(new_voucher: Call, redeem: Call, call: Call) -> None:
    voucher = new_voucher(max_redemptions_per_customer=1, max_redemptions=2)
    path, order = f"/vouchers/{voucher['id']}/validate", {"order_amount": 45}
    redeem(voucher)
    assert call("POST", path, order).json["data"]["valid"] is True
    assert call("POST", path, ORDER).json["data"]["reason"] == "voucher_already_redeemed"


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"order_amount": None}, "order_amount"),
        ({"order_amount": "45.001"}, "order_amount"),
        ({"partner_location_id": 99}, "partner_location_id"),
        ({"customer_id": 9999}, "customer_id"),
        ({"customer_id": None, "customer_email": "nobody@example.com"}, "customer_email"),
        ({"customer_email": "sam@example.com"}, "customer_email"),
        ({"occurred_at": "2020-01-01T00:00:00Z"}, "occurred_at"),
    ],
)
def test_a_question_that_is_wrong_in_itself_is_refused(
    sent: dict[str, Any], field: str, new_voucher: Call, call: Call
) -> None:
    answer = call("POST", f"/vouchers/{new_voucher()['id']}/validate", {**ORDER, **sent})
    assert (answer.status_code, list(answer.json["error"]["details"])) == (400, [field])


def test_a_question_takes_only_a_key_that_a_write_would_take(new_voucher: Call, call: Call) -> None:
    answer = call("POST", f"/vouchers/{new_voucher()['id']}/validate", ORDER, key="k" * 256)
    assert list(answer.json["error"]["details"]) == ["Idempotency-Key"]


def test_a_customer_created_a_millisecond_ago_can_be_asked_for(
    new_voucher: Call, call: Call, owners: Any, person: Call, tenant_id: int
) -> None:
    voucher = new_voucher()
    owners.customers[tenant_id] = [person(id=7, email="sam@example.com")]
    answer = call("POST", f"/vouchers/{voucher['id']}/validate", {**ORDER, "customer_id": 7})
    assert answer.json["data"]["valid"] is True


def test_a_voucher_that_does_not_exist_is_404(call: Call) -> None:
    assert call("POST", "/vouchers/4711/validate", ORDER).status_code == 404
    assert call("POST", "/vouchers/4711/validate", {}).status_code == 404
