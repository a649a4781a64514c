"""POST /vouchers/{id}/redeem, as a till sees it."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

Call = Callable[..., Any]


def outbox(engine: Engine, tenant_id: int) -> list[Any]:
    with engine.connect() as connection:
        query = text("select event, payload::json as data, version from outbox where tenant_id = :tenant_id")
        return list(connection.execute(query, {"tenant_id": tenant_id}))


def test_a_redemption_is_answered_as_the_reference_shows(new_voucher: Call, redeem: Call) -> None:
    voucher = new_voucher(voucher_code="SPRING20")
    response = redeem(voucher, order_reference="POS-88423", partner_location_id=2, notes="In-store checkout")
    assert response.status_code == 201
    redemption = response.json["data"]
    assert list(redemption)[:8] == [
        "id",
        "voucher_id",
        "customer_id",
        "voucher_code",
        "order_amount",
        "discount_amount",
        "order_reference",
        "redeemed_at",
    ]
    assert (
        redemption
        | {
            "voucher_id": voucher["id"],
            "customer_id": 1042,
            "voucher_code": "SPRING20",
            "order_amount": "45.00",
            "discount_amount": "9.00",
            "order_reference": "POS-88423",
            "currency": "USD",
            "status": "redeemed",
            "partner_location_id": 2,
            "notes": "In-store checkout",
            "source": "api",
            "rolled_back_at": None,
        }
        == redemption
    )
    assert redemption["redeemed_at"] == redemption["created_at"]
    assert redemption["redeemed_at"].endswith("+00:00")
    assert response.json["meta"] == {"request_id": response.headers["X-Request-Id"]}


def test_a_redemption_is_counted_and_published_once(
    new_voucher: Call, redeem: Call, call: Call, engine: Engine, tenant_id: int
) -> None:
    voucher = new_voucher()
    redemption = redeem(voucher).json["data"]
    assert call("GET", f"/vouchers/{voucher['id']}").json["data"] == {**voucher, "redemptions_count": 1}
    [event] = outbox(engine, tenant_id)
    assert (event.event, event.version) == ("voucher.redeemed", None)
    assert event.data == {
        **redemption,
        "voucher_name": "Spring Savings",
        "discount_type": "percent",
        "discount_value": "20.00",
        "customer": {"id": 1042, "name": "Alex Rivera", "email": "alex@example.com", "phone": "+15551234567"},
    }


@pytest.mark.parametrize(
    ("voucher_settings", "sent", "reason", "fields"),
    [
        ({"is_active": False}, {}, "voucher_inactive", []),
        ({"valid_from": "2999-01-01"}, {}, "voucher_not_yet_valid", []),
        ({"valid_until": "2026-05-31"}, {}, "voucher_expired", []),
        ({"minimum_order_amount": "45.01"}, {}, "minimum_order_not_met", ["order_amount"]),
        ({}, {"currency": "EUR"}, "currency_mismatch", ["currency"]),
        ({"currency": "JPY"}, {"order_amount": "45.50"}, None, ["order_amount"]),
        ({}, {"partner_location_id": 99}, None, ["partner_location_id"]),
        ({}, {"customer_id": 9999}, "customer_not_found", ["customer_id"]),
        ({}, {"customer_email": "nobody@example.com"}, "customer_not_found", ["customer_email"]),
        ({}, {"customer_id": 1042, "customer_email": "sam@example.com"}, None, ["customer_email"]),
    ],
)
def test_a_refusal_names_its_rule_and_leaves_nothing_behind(
    voucher_settings: dict[str, Any],
    sent: dict[str, Any],
    reason: str | None,
    fields: list[str],
    new_voucher: Call,
    redeem: Call,
    call: Call,
    engine: Engine,
    tenant_id: int,
) -> None:
    voucher = new_voucher(**voucher_settings)
    response = redeem(voucher, **sent)
    assert response.status_code == 400
    error = response.json["error"]
    assert (error["code"], error["reason"], list(error["details"])) == ("validation_error", reason, fields)
    assert call("GET", f"/vouchers/{voucher['id']}").json["data"]["redemptions_count"] == 0
    assert outbox(engine, tenant_id) == []


def test_the_sentence_of_an_expired_voucher_says_since_when(new_voucher: Call, redeem: Call) -> None:
    response = redeem(new_voucher(valid_until="2026-05-31"))
    assert response.json["error"]["message"] == "This voucher expired on 2026-05-31."


def test_a_voucher_of_one_use_is_used_once(new_voucher: Call, redeem: Call) -> None:
    voucher = new_voucher(max_redemptions=1)
    assert redeem(voucher).status_code == 201
    assert redeem(voucher).json["error"]["reason"] == "voucher_limit_reached"


def test_one_customer_may_redeem_as_often_as_one_may(new_voucher: Call, redeem: Call, know: Call, person: Call) -> None:
    voucher = new_voucher(max_redemptions_per_customer=2)
    know(person(id=7, email="sam@example.com"))
    assert [redeem(voucher).status_code for _ in range(2)] == [201, 201]
    assert redeem(voucher).json["error"]["reason"] == "voucher_already_redeemed"
    assert redeem(voucher, customer_id=7).status_code == 201


def test_a_cap_and_a_fixed_amount_bound_the_discount(new_voucher: Call, redeem: Call) -> None:
    capped = redeem(new_voucher(discount_value=50, max_discount_amount=5)).json["data"]
    fixed = redeem(new_voucher(discount_type="fixed", discount_value="60.00")).json["data"]
    assert (capped["discount_amount"], fixed["discount_amount"]) == ("5.00", "45.00")


def test_the_currencys_own_digits_are_shown(new_voucher: Call, redeem: Call) -> None:
    yen = redeem(new_voucher(currency="JPY", discount_value=15), order_amount=1000, currency="jpy").json["data"]
    dinar = redeem(new_voucher(currency="KWD", discount_value=10), order_amount="1.235").json["data"]
    assert (yen["order_amount"], yen["discount_amount"]) == ("1000.00", "150.00")
    assert (dinar["order_amount"], dinar["discount_amount"]) == ("1.235", "0.124")


def test_a_redemption_from_an_offline_tills_queue_is_judged_at_its_own_time(
    new_voucher: Call, redeem: Call, clock: Callable[[int], str]
) -> None:
    voucher = new_voucher(valid_until=clock(-2)[:10])
    assert redeem(voucher).json["error"]["reason"] == "voucher_expired"
    redemption = redeem(voucher, occurred_at=clock(-3)).json["data"]
    assert redemption["redeemed_at"] == clock(-3)
    assert redemption["created_at"] > clock(-1)


@pytest.mark.parametrize("days", [-31, 1])
def test_what_happened_long_ago_or_will_happen_is_no_redemption(
    days: int, new_voucher: Call, redeem: Call, clock: Callable[[int], str]
) -> None:
    response = redeem(new_voucher(), occurred_at=clock(days))
    assert list(response.json["error"]["details"]) == ["occurred_at"]


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"order_amount": None}, "order_amount"),
        ({"order_amount": 0}, "order_amount"),
        ({"order_amount": "abc"}, "order_amount"),
        ({"customer_id": None}, "customer_id"),
        ({"customer_id": 24.9}, "customer_id"),
        ({"customer_email": "alex"}, "customer_email"),
        ({"currency": "XXX"}, "currency"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
    ],
)
def test_what_is_wrong_is_said_under_its_field(
    sent: dict[str, Any], field: str, new_voucher: Call, redeem: Call
) -> None:
    response = redeem(new_voucher(), **sent)
    assert (response.status_code, list(response.json["error"]["details"])) == (400, [field])


def test_a_voucher_that_does_not_exist_is_404_whatever_the_fields_are(call: Call, redeem: Call) -> None:
    assert redeem({"id": 4711}).status_code == 404
    assert call("POST", "/vouchers/4711/redeem", {"order_amount": -1}).status_code == 404
    assert call("POST", "/vouchers/4711/redeem", data=b"{", content_type="application/json").status_code == 400
