"""A till that lost the answer sends again: with the same key, or with a new key and the same order reference."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

Call = Callable[..., Any]


def events(engine: Engine, tenant_id: int) -> int:
    with engine.connect() as connection:
        statement = text("select count(*) from outbox where tenant_id = :tenant_id")
        return int(connection.execute(statement, {"tenant_id": tenant_id}).scalar_one())


def test_the_same_key_gets_the_same_answer_again(
    new_voucher: Call, redeem: Call, engine: Engine, tenant_id: int
) -> None:
    voucher = new_voucher(max_redemptions=1)
    first = redeem(voucher, key="k", order_amount=24.5)
    again = redeem(voucher, key="k", order_amount=24.50)
    assert (again.status_code, again.json["data"]) == (201, first.json["data"])
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert events(engine, tenant_id) == 1


def test_a_key_is_not_for_another_amount_nor_for_another_voucher(new_voucher: Call, redeem: Call) -> None:
    voucher, other = new_voucher(), new_voucher()
    redeem(voucher, key="k")
    for answer in (redeem(voucher, key="k", order_amount=46), redeem(other, key="k")):
        assert (answer.status_code, answer.json["error"]["reason"]) == (400, "idempotency_key_reused")
        assert list(answer.json["error"]["details"]) == ["Idempotency-Key"]


def test_a_refused_redemption_leaves_its_key_and_reference_free(new_voucher: Call, redeem: Call) -> None:
    voucher = new_voucher(minimum_order_amount=50)
    assert redeem(voucher, key="k", order_reference="POS-1").status_code == 400
    assert redeem(voucher, key="k", order_reference="POS-1", order_amount=50).status_code == 201


def test_the_same_order_again_is_the_first_redemption_even_once_the_voucher_is_used_up(
    new_voucher: Call, redeem: Call, engine: Engine, tenant_id: int
) -> None:
    voucher = new_voucher(max_redemptions=1)
    first = redeem(voucher, key="a", order_reference="POS-88423", notes="Counter 1")
    again = redeem(voucher, key="b", order_reference="POS-88423", customer_id=1042, order_amount="45.00")
    assert (again.status_code, again.json["data"]) == (200, first.json["data"])
    assert again.json["meta"]["duplicate"] is True
    assert "duplicate" not in first.json["meta"]
    assert events(engine, tenant_id) == 1


def test_a_repeated_order_with_its_own_key_is_replayed(new_voucher: Call, redeem: Call) -> None:
    voucher = new_voucher()
    redeem(voucher, key="a", order_reference="POS-88423")
    redeem(voucher, key="b", order_reference="POS-88423")
    replayed = redeem(voucher, key="b", order_reference="POS-88423")
    assert (replayed.status_code, replayed.headers["Idempotent-Replayed"]) == (200, "true")


@pytest.mark.parametrize("changed", [{"order_amount": "45.01"}, {"customer_id": 7}])
def test_an_order_reference_is_not_for_another_amount_or_customer(
    changed: dict[str, Any], new_voucher: Call, redeem: Call, know: Call, person: Call
) -> None:
    voucher = new_voucher()
    know(person(id=7, email="sam@example.com"))
    redeem(voucher, order_reference="POS-88423")
    refused = redeem(voucher, order_reference="POS-88423", **changed)
    assert (refused.status_code, refused.json["error"]["reason"]) == (400, "duplicate_reference")
    assert list(refused.json["error"]["details"]) == ["order_reference"]


def test_an_order_reference_is_used_once_per_voucher_only(new_voucher: Call, redeem: Call) -> None:
    answers = [redeem(new_voucher(), order_reference="POS-88423") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]


def test_orders_without_a_reference_are_never_the_same(new_voucher: Call, redeem: Call) -> None:
    voucher = new_voucher()
    ids = {redeem(voucher, order_reference=reference).json["data"]["id"] for reference in (None, "", "  ")}
    assert len(ids) == 3


def test_a_redemption_that_was_rolled_back_frees_its_order_reference_and_its_use(
    new_voucher: Call, redeem: Call, engine: Engine, tenant_id: int
) -> None:
    voucher = new_voucher(max_redemptions=1, max_redemptions_per_customer=1)
    first = redeem(voucher, order_reference="POS-88423").json["data"]
    with engine.begin() as connection:
        statement = text("update redemptions set rolled_back_at = now() where tenant_id = :tenant_id and id = :id")
        connection.execute(statement, {"tenant_id": tenant_id, "id": first["id"]})
    second = redeem(voucher, order_reference="POS-88423")
    assert second.status_code == 201
    assert second.json["data"]["id"] != first["id"]
