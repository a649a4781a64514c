"""Tills that hand out, take back and stamp at once, with real threads on real PostgreSQL."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

Call = Callable[..., Any]


def at_once(attempts: Iterable[Any], act: Callable[[Any], Any]) -> list[Any]:
    attempts = list(attempts)
    with ThreadPoolExecutor(len(attempts)) as tills:
        return list(tills.map(act, attempts))


@pytest.fixture
def path(alex: int, coffee_club: Callable[..., int]) -> str:
    return f"/stamp-cards/{coffee_club()}"


def full_card(call: Call, path: str) -> tuple[int, int]:
    """The stamp that filled it and the reward that it unlocked."""
    earn, reward = call("POST", f"{path}/stamps", {"customer_id": 1042, "quantity": 10}).json["data"]
    return earn["id"], reward["stamp_reward_id"]


def test_one_reward_is_handed_out_to_one_of_twenty_orders(call: Call, path: str, rows: Callable[[str], Any]) -> None:
    _, reward = full_card(call, path)
    fulfill = f"{path}/rewards/{reward}/fulfill"
    answers = at_once(range(20), lambda till: call("POST", fulfill, {"order_reference": f"POS-{till}"}))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 19
    told = rows("select 1 from outbox where tenant_id = :tenant_id and event = 'stamp.reward_fulfilled'")
    assert len(told) == 1


def test_one_order_has_its_reward_once_from_twenty_tills(call: Call, path: str, rows: Callable[[str], Any]) -> None:
    _, reward = full_card(call, path)
    fulfill = f"{path}/rewards/{reward}/fulfill"
    answers = at_once(range(20), lambda _: call("POST", fulfill, {"order_reference": "POS-1"}))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json["data"]["fulfilled_at"] for answer in answers}) == 1
    assert sum("duplicate" not in answer.json["meta"] for answer in answers) == 1
    told = rows("select 1 from outbox where tenant_id = :tenant_id and event = 'stamp.reward_fulfilled'")
    assert len(told) == 1


def test_a_reward_is_either_handed_out_or_taken_back(call: Call, path: str, rows: Callable[[str], Any]) -> None:
    for _ in range(12):
        stamp, reward = full_card(call, path)
        attempts = [f"{path}/rewards/{reward}/fulfill", f"{path}/stamps/{stamp}/reverse"] * 2
        answers = at_once(attempts, lambda attempt: call("POST", attempt))
        assert sorted(answer.status_code // 100 for answer in answers) == [2, 4, 4, 4]
        reasons = {answer.json["error"]["reason"] for answer in answers if answer.status_code == 400}
        assert reasons in ({"reward_already_fulfilled", "not_reversible"}, {"reward_revoked", "already_reversed"})
    [membership] = rows("select stamps_balance from stamp_memberships where tenant_id = :tenant_id")
    assert membership.stamps_balance == 0


def test_stamps_and_reversals_of_one_customer_from_twenty_tills_lose_nothing(
    call: Call, path: str, rows: Callable[[str], Any]
) -> None:
    bought = [call("POST", f"{path}/stamps", {"customer_id": 1042, "quantity": 3}).json["data"][0] for _ in range(10)]
    attempts = [(f"{path}/stamps", {"customer_id": 1042})] * 20
    attempts += [(f"{path}/stamps/{row['id']}/reverse", {}) for row in bought[:7]]
    answers = at_once(attempts, lambda attempt: call("POST", *attempt))
    assert {answer.status_code for answer in answers} == {201}
    kept = len(rows("select 1 from stamp_rewards where tenant_id = :tenant_id and status = 'unlocked'"))
    [membership] = rows("select stamps_balance from stamp_memberships where tenant_id = :tenant_id")
    assert (kept, membership.stamps_balance) == divmod(3 * 10 + 20 - 3 * 7, 10)
    balance = 0
    for row in rows("select * from stamp_transactions where tenant_id = :tenant_id order by id"):
        balance += row.stamps_delta
        assert row.stamps_balance_after == balance
    assert balance == membership.stamps_balance


def test_two_changes_of_a_stamp_card_at_once_are_both_kept(call: Call, path: str) -> None:
    at_once([{"name": "Tea Club"}, {"stamps_per_purchase": 3}], lambda change: call("PATCH", path, change))
    card = call("GET", path).json["data"]
    assert (card["name"], card["stamps_per_purchase"]) == ("Tea Club", 3)
