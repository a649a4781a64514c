"""PATCH /vouchers/{id}: a merchant changes what a voucher grants."""

from collections.abc import Callable
from typing import Any

import pytest

Call = Callable[..., Any]


@pytest.fixture
def change(call: Call) -> Call:
    def patch(voucher: dict[str, Any], changes: Any, *, key: str | None = None) -> Any:
        return call("PATCH", f"/vouchers/{voucher['id']}", changes, key=key)

    return patch


@pytest.mark.parametrize(
    ("name", "sent", "shown"),
    [
        ("name", "Summer", "Summer"),
        ("voucher_code", "SUMMER-20", "SUMMER-20"),
        ("is_active", False, False),
        ("discount_value", 25, "25.00"),
        ("valid_from", "2026-04-01", "2026-04-01"),
        ("valid_until", "2026-06-30", "2026-06-30"),
        ("currency", "eur", "EUR"),
        ("minimum_order_amount", "10", "10.00"),
        ("max_discount_amount", "5.5", "5.50"),
        ("max_redemptions", 3, 3),
        ("max_redemptions_per_customer", 1, 1),
    ],
)
def test_each_setting_can_be_changed_by_itself(
    name: str, sent: Any, shown: Any, new_voucher: Call, change: Call, call: Call
) -> None:
    voucher = new_voucher()
    answer = change(voucher, {name: sent})
    assert answer.status_code == 200
    changed = answer.json["data"]
    assert changed == {**voucher, name: shown, "updated_at": changed["updated_at"]}
    assert call("GET", f"/vouchers/{voucher['id']}").json["data"] == changed


def test_a_voucher_moves_to_another_location_of_the_organization(new_voucher: Call, change: Call, locate: Call) -> None:
    voucher = new_voucher()
    locate(3)
    assert change(voucher, {"partner_location_id": 3}).json["data"]["partner_location_id"] == 3
    refused = change(voucher, {"partner_location_id": 99})
    assert (refused.status_code, list(refused.json["error"]["details"])) == (400, ["partner_location_id"])


def test_null_is_the_default(new_voucher: Call, change: Call) -> None:
    settings = {
        "is_active": False,
        "currency": "EUR",
        "valid_from": "2026-03-01",
        "valid_until": "2026-05-31",
        "minimum_order_amount": 10,
        "max_discount_amount": 5,
        "max_redemptions": 3,
        "max_redemptions_per_customer": 1,
        "voucher_code": "SPRING20",
    }
    voucher = new_voucher(**settings)
    changed = change(voucher, dict.fromkeys(settings)).json["data"]
    defaults = {**dict.fromkeys(settings), "is_active": True, "currency": "USD"}
    del defaults["voucher_code"]
    assert changed | defaults == changed
    assert len(changed["voucher_code"]) == 10


def test_without_a_difference_nothing_was_updated(new_voucher: Call, change: Call) -> None:
    voucher = new_voucher(voucher_code="SPRING20")
    same = {"name": voucher["name"], "discount_value": "20", "voucher_code": "SPRING20"}
    assert change(voucher, same).json["data"] == voucher
    assert change(voucher, {}).json["data"] == voucher


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"valid_until": "2026-02-28"}, "valid_until"),
        ({"discount_value": "100.01"}, "discount_value"),
        ({"discount_value": "20.001"}, "discount_value"),
        ({"currency": "JPY"}, "minimum_order_amount"),
        ({"name": None}, "name"),
        ({"discount_type": None}, "discount_type"),
        ({"partner_location_id": None}, "partner_location_id"),
        ({"voucher_code": "SPRING 20"}, "voucher_code"),
        ({"max_redemptions": 0}, "max_redemptions"),
    ],
)
def test_the_whole_must_be_right_after_the_change(
    changes: dict[str, Any], field: str, new_voucher: Call, change: Call, call: Call
) -> None:
    voucher = new_voucher(valid_from="2026-03-01", minimum_order_amount="10.50")
    answer = change(voucher, changes)
    assert (answer.status_code, list(answer.json["error"]["details"])) == (400, [field])
    assert call("GET", f"/vouchers/{voucher['id']}").json["data"] == voucher


def test_a_code_is_anothers_in_any_case_but_ones_own_may_change_its_case(new_voucher: Call, change: Call) -> None:
    spring, summer = new_voucher(voucher_code="SPRING20"), new_voucher(voucher_code="SUMMER20")
    taken = change(summer, {"voucher_code": "spring20"})
    assert taken.json["error"]["details"] == {"voucher_code": ["The voucher code has already been taken."]}
    assert change(spring, {"voucher_code": "spring20"}).json["data"]["voucher_code"] == "spring20"


def test_redemptions_stay_as_they_were(new_voucher: Call, redeem: Call, change: Call, call: Call) -> None:
    voucher = new_voucher(voucher_code="SPRING20")
    redemption = redeem(voucher).json["data"]
    change(voucher, {"voucher_code": "X", "discount_type": "fixed", "discount_value": 500, "currency": "JPY"})
    assert call("GET", f"/vouchers/{voucher['id']}/redemptions").json["data"] == [redemption]
    assert redeem(voucher, order_amount=700).json["data"]["discount_amount"] == "500.00"


def test_a_limit_below_what_is_redeemed_leaves_nothing_to_redeem(new_voucher: Call, redeem: Call, change: Call) -> None:
    voucher = new_voucher()
    for _ in range(3):
        redeem(voucher)
    changed = change(voucher, {"max_redemptions": 2}).json["data"]
    assert (changed["max_redemptions"], changed["redemptions_count"]) == (2, 3)
    assert redeem(voucher).json["error"]["reason"] == "voucher_limit_reached"
    change(voucher, {"max_redemptions": 4})
    assert [redeem(voucher).status_code for _ in range(2)] == [201, 400]


def test_uses_before_there_was_a_limit_count(new_voucher: Call, redeem: Call, change: Call) -> None:
    voucher = new_voucher()
    redeem(voucher)
    change(voucher, {"max_redemptions_per_customer": 1})
    assert redeem(voucher).json["error"]["reason"] == "voucher_already_redeemed"


def test_the_same_key_changes_once(new_voucher: Call, change: Call) -> None:
    voucher = new_voucher()
    first = change(voucher, {"name": "A", "voucher_code": None}, key="k")
    change(voucher, {"name": "B"})
    again = change(voucher, {"name": "A", "voucher_code": None}, key="k")
    assert again.json["data"] == first.json["data"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert change(voucher, {"name": "C"}, key="k").json["error"]["reason"] == "idempotency_key_reused"


def test_a_voucher_that_does_not_exist_is_404_whatever_the_fields_are(call: Call) -> None:
    assert call("PATCH", "/vouchers/4711", {"name": "x"}).status_code == 404
    assert call("PATCH", "/vouchers/4711", {"max_redemptions": 0}).status_code == 404


def test_what_is_unknown_is_said(new_voucher: Call, change: Call) -> None:
    [warning] = change(new_voucher(), {"colour": "red"}).json["meta"]["warnings"]
    assert warning["field"] == "colour"
