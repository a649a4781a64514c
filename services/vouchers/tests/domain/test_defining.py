"""What a voucher may be set to."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from loyalty_common.errors import ValidationFailed
from loyalty_vouchers.domain.defining import Definition, check_definition

SPRING = Definition(
    name="Spring Savings",
    partner_location_id=2,
    voucher_code="SPRING20",
    is_active=True,
    discount_type="percent",
    discount_value=Decimal(20),
    currency="USD",
    minimum_order_amount=None,
    max_discount_amount=None,
    max_redemptions=None,
    max_redemptions_per_customer=None,
    valid_from=date(2026, 3, 1),
    valid_until=date(2026, 5, 31),
)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"discount_value": Decimal(100)},
        {"discount_value": Decimal("0.01")},
        {"discount_type": "fixed", "discount_value": Decimal(500)},
        {"valid_until": date(2026, 3, 1)},
        {"valid_from": None},
        {"valid_until": None},
        {"currency": "KWD", "discount_type": "fixed", "discount_value": Decimal("1.234")},
        {"currency": "JPY", "minimum_order_amount": Decimal("1000.00")},
        {"currency": "JPY", "discount_value": Decimal("12.5")},
    ],
)
def test_a_voucher_may_be_set_up_so(changed: dict[str, object]) -> None:
    check_definition(replace(SPRING, **changed))


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"discount_value": Decimal("100.01")}, "discount_value"),
        ({"discount_value": Decimal("12.345")}, "discount_value"),
        ({"discount_type": "fixed", "discount_value": Decimal("5.001")}, "discount_value"),
        ({"currency": "JPY", "minimum_order_amount": Decimal("0.5")}, "minimum_order_amount"),
        ({"currency": "JPY", "max_discount_amount": Decimal("10.01")}, "max_discount_amount"),
        ({"valid_until": date(2026, 2, 28)}, "valid_until"),
    ],
)
def test_a_contradiction_is_named_under_its_field(changed: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        check_definition(replace(SPRING, **changed))
    assert list(refused.value.details) == [field]


def test_all_contradictions_are_named_at_once() -> None:
    muddled = replace(
        SPRING, currency="JPY", discount_value=Decimal(101), minimum_order_amount=Decimal("0.1"), valid_from=date.max
    )
    with pytest.raises(ValidationFailed) as refused:
        check_definition(muddled)
    assert set(refused.value.details) == {"discount_value", "minimum_order_amount", "valid_until"}
