"""Vouchers whose codes we draw ourselves."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

from sqlalchemy import Engine

from loyalty_common import database
from loyalty_common.idempotency import Reply, RequestKey
from loyalty_vouchers.domain import vouchers
from loyalty_vouchers.domain.acts import Act
from loyalty_vouchers.domain.codes import LENGTH
from loyalty_vouchers.domain.defining import Definition

SPRING = Definition(
    name="Spring Savings",
    voucher_code=None,
    partner_location_id=2,
    is_active=True,
    discount_type="percent",
    discount_value=Decimal(20),
    currency="USD",
    minimum_order_amount=None,
    max_discount_amount=None,
    max_redemptions=None,
    max_redemptions_per_customer=None,
    valid_from=date(2026, 3, 1),
    valid_until=None,
)


def test_a_code_that_was_drawn_before_is_drawn_anew(
    engine: Engine, tenant_id: int, locate: Callable[[int], None]
) -> None:
    locate(2)
    draws = iter([0, 0, 1])

    def create(key: str) -> Reply:
        act = Act(
            request=RequestKey(key, "fingerprint"),
            organization_id=tenant_id,
            source="api",
            at=datetime(2026, 3, 1, 9, 0, tzinfo=UTC),
            choose=lambda _: next(draws),
        )
        return database.perform(engine, tenant_id, lambda tx: vouchers.create(tx, definition=SPRING, act=act))

    assert [create(key).data["voucher_code"] for key in ("first", "second")] == ["A" * LENGTH, "B" + "A" * (LENGTH - 1)]
