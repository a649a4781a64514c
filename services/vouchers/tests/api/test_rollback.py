"""POST …/redemptions/{redemption_id}/rollback."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

from loyalty_common.database import transaction
from loyalty_vouchers.models import directory

Call = Callable[..., Any]


@pytest.fixture
def roll_back(call: Call) -> Call:
    def post(redemption: dict[str, Any], **options: Any) -> Any:
        return call("POST", f"/vouchers/{redemption['voucher_id']}/redemptions/{redemption['id']}/rollback", **options)

    return post


def events(engine: Engine, tenant_id: int) -> list[Any]:
    with engine.connect() as connection:
        query = text("select event, payload::json as data, version from outbox where tenant_id = :tenant_id")
        return list(connection.execute(query, {"tenant_id": tenant_id}))


@pytest.mark.parametrize("options", [{}, {"body": {}}, {"data": b"", "content_type": "text/plain"}])
def test_a_rollback_needs_no_body_and_answers_the_redemption(
    options: dict[str, Any], new_voucher: Call, redeem: Call, roll_back: Call, call: Call
) -> None:
    redemption = redeem(new_voucher()).json["data"]
    answer = roll_back(redemption, **options)
    assert answer.status_code == 200
    undone = answer.json["data"]
    assert undone == {**redemption, "status": "rolled_back", "rolled_back_at": undone["rolled_back_at"]}
    assert undone["rolled_back_at"] >= redemption["created_at"]
    path = f"/vouchers/{redemption['voucher_id']}/redemptions/{redemption['id']}"
    assert call("GET", path).json["data"] == undone


def test_again_it_is_the_same_and_said_to_be_a_duplicate(
    new_voucher: Call, redeem: Call, roll_back: Call, engine: Engine, tenant_id: int
) -> None:
    redemption = redeem(new_voucher()).json["data"]
    first, again = roll_back(redemption), roll_back(redemption)
    assert (again.status_code, again.json["data"]) == (200, first.json["data"])
    assert again.json["meta"]["duplicate"] is True
    assert "duplicate" not in first.json["meta"]
    assert [event.event for event in events(engine, tenant_id)] == ["voucher.redeemed", "customer.updated"]


def test_the_same_key_is_replayed(new_voucher: Call, redeem: Call, roll_back: Call) -> None:
    redemption = redeem(new_voucher()).json["data"]
    first, again = roll_back(redemption, key="k"), roll_back(redemption, key="k")
    assert (again.json["data"], again.headers["Idempotent-Replayed"]) == (first.json["data"], "true")


def test_its_use_and_its_order_reference_are_free_again(
    new_voucher: Call, redeem: Call, roll_back: Call, call: Call
) -> None:
    voucher = new_voucher(max_redemptions=1, max_redemptions_per_customer=1)
    first = redeem(voucher, order_reference="POS-88423").json["data"]
    roll_back(first)
    assert call("GET", f"/vouchers/{voucher['id']}").json["data"]["redemptions_count"] == 0
    second = redeem(voucher, order_reference="POS-88423", order_amount=50)
    assert (second.status_code, second.json["data"]["id"] > first["id"]) == (201, True)
    assert redeem(voucher).json["error"]["reason"] == "voucher_limit_reached"


def test_the_customer_is_told_of_with_the_redemption(
    new_voucher: Call, redeem: Call, roll_back: Call, person: Call, engine: Engine, tenant_id: int
) -> None:
    undone = roll_back(redeem(new_voucher()).json["data"]).json["data"]
    [event] = [event for event in events(engine, tenant_id) if event.event == "customer.updated"]
    # Without a version: it says nothing about the profile that its owner has not said.
    assert event.version is None
    assert event.data == {
        **person(),
        "customer": {"id": 1042, "name": "Alex Rivera", "email": "alex@example.com", "phone": "+15551234567"},
        "source": "api",
        "changed": ["voucher_redemption"],
        "enrollment": None,
        "transaction": None,
        "stamp_transactions": None,
        "voucher_redemption": undone,
        "erased_at": None,
    }


def test_of_an_erased_customer_it_is_rolled_back_and_told_without_him(
    new_voucher: Call, redeem: Call, roll_back: Call, person: Call, engine: Engine, tenant_id: int
) -> None:
    redemption = redeem(new_voucher()).json["data"]
    nobody = person(name=None, email=None, phone=None)
    with transaction(engine, tenant_id) as tx:
        erased = {"customer": nobody, "customer_id": 1042, "version": 2, "erased_at": "2026-06-01T09:00:00+00:00"}
        directory.learn_customer(tx, **erased)
    assert roll_back(redemption).json["data"]["status"] == "rolled_back"
    told = events(engine, tenant_id)[-1]
    assert (told.event, told.data["changed"]) == ("customer.updated", ["voucher_redemption"])
    assert told.data["customer"] == {"id": 1042, "name": None, "email": None, "phone": None}


def test_only_the_vouchers_own_redemption_is_found_under_it(
    new_voucher: Call, redeem: Call, roll_back: Call, call: Call, tenant_id: int
) -> None:
    redemption, other = redeem(new_voucher()).json["data"], new_voucher()
    stranger = tenant_id + 1_000_000
    assert roll_back({**redemption, "voucher_id": other["id"]}).status_code == 404
    assert roll_back({**redemption, "id": 4711_000}).status_code == 404
    assert roll_back(redemption, tenant=stranger).status_code == 404
    assert roll_back({**redemption, "id": 4711_000}, body=[]).status_code == 400
    path = f"/vouchers/{redemption['voucher_id']}/redemptions/{redemption['id']}"
    assert call("GET", path, tenant=stranger).status_code == 404
    assert call("GET", path).json["data"] == redemption
