"""What does not hold of a ledger is found, and what holds is not."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

from loyalty_programs.domain.ledger_faults import RULES, check
from loyalty_programs.jobs.ledger_check import LedgerWatch


@pytest.fixture
def faults(engine: Engine, tenant_id: int) -> Callable[[], set[str]]:
    """The rules that do not hold for this tenant: other tests may have left what no operation would."""

    def broken() -> set[str]:
        return {fault.rule for fault in check(engine).faults if any(tenant == tenant_id for tenant, _ in fault.first)}

    return broken


@pytest.fixture
def busy_member(call: Any, insider: Callable[..., int], coffee_club: Callable[..., int], alex: int) -> None:
    """He has earned, spent, had something taken back, and collects stamps."""
    card = f"/loyalty-cards/{insider()}"
    bought = {"customer_id": alex, "amount": 250, "currency": "USD", "reference": "POS-1"}
    assert call("POST", f"{card}/enrollments", {"customer_id": alex}).status_code == 201
    assert call("POST", f"{card}/transactions", bought).status_code == 201
    assert call("POST", f"{card}/redemptions", {"customer_id": alex, "points": 30}).status_code == 201
    assert call("POST", f"{card}/transactions", {"customer_id": alex, "points": -5}).status_code == 201
    stamps = f"/stamp-cards/{coffee_club(stamps_required_for_reward=3)}/stamps"
    assert call("POST", stamps, {"customer_id": alex, "quantity": 7}).status_code == 201


@pytest.mark.usefixtures("busy_member")
def test_a_ledger_that_only_operations_wrote_is_sound(faults: Callable[[], set[str]], engine: Engine) -> None:
    assert faults() == set()
    assert all(count > 0 for count in check(engine).counts.values())


@pytest.mark.usefixtures("busy_member")
@pytest.mark.parametrize(
    ("damage", "broken"),
    [
        (
            "update enrollments set points_balance = points_balance + 1 where tenant_id = :tenant_id",
            {"points_balance is the sum of points_delta", "what is left in the lots is the balance, or 0 of a debt"},
        ),
        (
            "update points_transactions set points_remaining = points_remaining - 1"
            " where tenant_id = :tenant_id and points_remaining > 0",
            {"what is left in the lots is the balance, or 0 of a debt"},
        ),
        (
            "update points_transactions set points_balance_after = points_balance_after + 1"
            " where tenant_id = :tenant_id and type = 'redeem'",
            {"each points_balance_after is the sum of points_delta so far"},
        ),
        (
            "update stamp_memberships set stamps_balance = stamps_balance + 1 where tenant_id = :tenant_id",
            {"stamps_balance is the sum of stamps_delta"},
        ),
        (
            "update stamp_transactions set stamps_balance_after = 0 where tenant_id = :tenant_id and type = 'earn'",
            {"each stamps_balance_after is the sum of stamps_delta so far"},
        ),
        (
            "insert into outbox (id, tenant_id, event, payload, created_at) select gen_random_uuid(), tenant_id, event,"
            " payload, created_at from outbox where tenant_id = :tenant_id and event = 'loyalty.points_redeemed'",
            {"an event of points that waits in the outbox tells of a row as it is, and no other tells of it"},
        ),
    ],
)
def test_whatever_was_damaged_is_named(
    faults: Callable[[], set[str]], engine: Engine, tenant_id: int, damage: str, broken: set[str]
) -> None:
    with engine.begin() as connection:
        assert connection.execute(text(damage), {"tenant_id": tenant_id}).rowcount > 0
    assert faults() == broken


def test_before_the_first_look_nothing_is_shown_and_after_it_each_rule_is(engine: Engine) -> None:
    watch = LedgerWatch(engine)
    assert list(watch.figures.collect()) == []
    watch.look()
    faults, checked_at = watch.figures.collect()
    assert {sample.labels["rule"] for sample in faults.samples} == set(RULES)
    assert time.time() - checked_at.samples[0].value < 60
