"""POST, GET /voucher-batches and the codes as a file."""

import csv
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, event, text

Call = Callable[..., Any]
MAY = {
    "quantity": 5,
    "code_prefix": "MAY-",
    "code_length": 8,
    "name": "May mailing",
    "partner_location_id": 2,
    "discount_type": "percent",
    "discount_value": 10,
    "valid_until": "2999-05-31",
    "max_redemptions": 1,
}


@pytest.fixture(autouse=True)
def _riverside(locate: Callable[..., None]) -> None:
    locate(2)


def codes(call: Call, batch: dict[str, Any]) -> list[dict[str, str]]:
    answer = call("GET", f"/voucher-batches/{batch['id']}/codes.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_a_batch_is_answered_with_its_job_done(call: Call) -> None:
    answer = call("POST", "/voucher-batches", MAY)
    assert answer.status_code == 201, answer.json
    batch = answer.json["data"]
    made_at = batch["created_at"]
    job = {"type": "voucher_batch", "status": "succeeded", "total": 5, "processed": 5, "succeeded": 5, "failed": 0}
    times = {"created_at": made_at, "started_at": made_at, "finished_at": made_at}
    assert batch == {
        **MAY,
        "id": batch["id"],
        "discount_value": "10.00",
        "valid_from": None,
        "is_active": True,
        "currency": "USD",
        "minimum_order_amount": None,
        "max_discount_amount": None,
        "max_redemptions_per_customer": None,
        "job": {"id": batch["id"], **job, "error": None, **times},
        "created_at": made_at,
    }
    assert call("GET", f"/voucher-batches/{batch['id']}").json["data"] == batch
    assert call("GET", "/voucher-batches").json["data"] == [batch]


def test_its_vouchers_are_vouchers_like_any_other(call: Call, new_voucher: Call, redeem: Call) -> None:
    batch = call("POST", "/voucher-batches", MAY).json["data"]
    new_voucher()
    vouchers = call("GET", f"/vouchers?voucher_batch_id={batch['id']}").json["data"]
    assert len({voucher["voucher_code"] for voucher in vouchers}) == len(vouchers) == 5
    assert call("GET", "/vouchers").json["meta"]["total"] == 6
    for voucher in vouchers:
        assert re.fullmatch("MAY-[A-HJ-NP-Z2-9]{8}", voucher["voucher_code"])
        shared = {name: batch[name] for name in voucher.keys() & batch.keys() - {"id"}}
        assert voucher == {**voucher, **shared, "voucher_batch_id": batch["id"], "redemptions_count": 0}
    order = {"customer_id": 1042, "order_amount": 45, "voucher_code": vouchers[0]["voucher_code"].lower()}
    answers = [call("POST", "/vouchers/redeem", order) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 400]
    changed = call("PATCH", f"/vouchers/{vouchers[1]['id']}", {"is_active": False}).json["data"]
    assert changed["voucher_batch_id"] == batch["id"]


def test_the_codes_come_as_a_file(call: Call, redeem: Call, tenant_id: int) -> None:
    batch = call("POST", "/voucher-batches", {**MAY, "code_prefix": "-"}).json["data"]
    vouchers = call("GET", f"/vouchers?voucher_batch_id={batch['id']}").json["data"][::-1]
    redeem(vouchers[0])
    call("PATCH", f"/vouchers/{vouchers[1]['id']}", {"is_active": False})
    assert codes(call, batch) == [
        {
            "voucher_id": str(voucher["id"]),
            # A spreadsheet would take it for a formula.
            "voucher_code": f"'{voucher['voucher_code']}",
            "is_active": "false" if place == 1 else "true",
            "redemptions_count": "1" if place == 0 else "0",
        }
        for place, voucher in enumerate(vouchers)
    ]
    file = call("GET", f"/voucher-batches/{batch['id']}/codes.csv")
    assert file.headers["Content-Disposition"] == f'attachment; filename="voucher-batch-{batch["id"]}.csv"'
    assert call("GET", f"/voucher-batches/{batch['id']}/codes.csv", tenant=tenant_id + 1_000_000).status_code == 404


def test_a_large_batch_has_every_code_once(call: Call) -> None:
    batch = call("POST", "/voucher-batches", {**MAY, "quantity": 2500, "code_prefix": None}).json["data"]
    rows = codes(call, batch)
    assert len({row["voucher_code"] for row in rows}) == len({row["voucher_id"] for row in rows}) == len(rows) == 2500
    assert batch["code_prefix"] is None


def test_codes_that_are_taken_already_are_drawn_anew(call: Call, new_voucher: Call) -> None:
    # 300 of the 1,024 codes of two characters: that none was drawn twice would be a miracle.
    small = {**MAY, "quantity": 10, "code_length": 2}
    for _ in range(30):
        assert call("POST", "/voucher-batches", small).status_code == 201
    assert call("GET", "/vouchers").json["meta"]["total"] == 300


def test_when_most_codes_are_taken_the_batch_is_refused_and_leaves_nothing(
    call: Call, engine: Engine, tenant_id: int
) -> None:
    small = {**MAY, "quantity": 10, "code_length": 2}
    call("POST", "/voucher-batches", small)
    with engine.begin() as connection:
        # All codes of the prefix but those of the batch.
        take = """
            insert into vouchers (tenant_id, id, organization_id, partner_location_id, name, voucher_code, is_active,
                discount_type, discount_value, currency, created_at, updated_at)
            select :tenant_id, nextval('voucher_ids'), :tenant_id, 2, 'taken', 'MAY-' || a || b, true,
                'fixed', 1, 'USD', now(), now()
            from regexp_split_to_table('ABCDEFGHJKLMNPQRSTUVWXYZ23456789', '') a,
                regexp_split_to_table('ABCDEFGHJKLMNPQRSTUVWXYZ23456789', '') b
            on conflict do nothing
        """
        connection.execute(text(take), {"tenant_id": tenant_id})
    refused = call("POST", "/voucher-batches", small, key="k")
    assert (refused.status_code, list(refused.json["error"]["details"])) == (400, ["code_length"])
    assert call("GET", "/voucher-batches").json["meta"]["total"] == 1
    assert call("GET", "/vouchers").json["meta"]["total"] == 1024
    assert call("POST", "/voucher-batches", {**small, "code_length": 3}, key="k2").status_code == 201


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"quantity": None}, "quantity"),
        ({"quantity": 0}, "quantity"),
        ({"quantity": 100_001}, "quantity"),
        ({"quantity": 11, "code_length": 2}, "code_length"),
        ({"quantity": 100_000, "code_length": 4}, "code_length"),
        ({"code_length": 33}, "code_length"),
        ({"code_prefix": "MAY 1"}, "code_prefix"),
        ({"code_prefix": "x" * 33}, "code_prefix"),
        ({"name": None}, "name"),
        ({"partner_location_id": 99}, "partner_location_id"),
        ({"discount_value": 101}, "discount_value"),
        ({"valid_from": "2999-06-01"}, "valid_until"),
    ],
)
def test_what_is_wrong_is_said_under_its_field(changed: dict[str, Any], field: str, call: Call) -> None:
    answer = call("POST", "/voucher-batches", {**MAY, **changed})
    assert (answer.status_code, list(answer.json["error"]["details"])) == (400, [field])
    assert call("GET", "/vouchers").json["meta"]["total"] == 0


def test_the_sentence_about_short_codes_says_how_long_they_must_be(call: Call) -> None:
    answer = call("POST", "/voucher-batches", {**MAY, "quantity": 1000, "code_length": 3})
    sentence = "Codes of 3 characters are too easily guessed for 1000 vouchers: take 4."
    assert answer.json["error"]["details"] == {"code_length": [sentence]}


def test_the_same_key_makes_one_batch(call: Call) -> None:
    first, again = (call("POST", "/voucher-batches", MAY, key="k") for _ in range(2))
    assert again.json["data"] == first.json["data"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert call("GET", "/vouchers").json["meta"]["total"] == 5


def test_a_batch_whose_connection_breaks_half_way_is_made_whole_and_once(
    call: Call, app: Flask, engine: Engine
) -> None:
    broken: list[int] = []

    def break_after_the_first_filling(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if "unnest" in statement and not broken:
            broken.append(cursor.connection.info.backend_pid)
            with engine.begin() as administrator:
                administrator.execute(text("select pg_terminate_backend(:pid)"), {"pid": broken[0]})

    service = app.extensions["engine"]
    event.listen(service, "after_cursor_execute", break_after_the_first_filling)
    try:
        batch = call("POST", "/voucher-batches", MAY).json["data"]
    finally:
        event.remove(service, "after_cursor_execute", break_after_the_first_filling)
    assert len(broken) == 1
    assert call("GET", "/voucher-batches").json["data"] == [batch]
    assert call("GET", "/vouchers").json["meta"]["total"] == len(codes(call, batch)) == 5


def test_another_tenant_sees_no_batch(call: Call, tenant_id: int) -> None:
    batch = call("POST", "/voucher-batches", MAY).json["data"]
    stranger = tenant_id + 1_000_000
    assert call("GET", f"/voucher-batches/{batch['id']}", tenant=stranger).status_code == 404
    assert call("GET", "/voucher-batches", tenant=stranger).json["meta"]["total"] == 0
    assert call("GET", f"/vouchers?voucher_batch_id={batch['id']}", tenant=stranger).json["data"] == []
