"""GET /exports/redemptions.csv."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest

Call = Callable[..., Any]


@pytest.fixture
def exported(call: Call) -> Callable[..., list[dict[str, str]]]:
    def rows(**query: Any) -> list[dict[str, str]]:
        answer = call("GET", "/exports/redemptions.csv", query_string=query)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
        return list(csv.DictReader(io.StringIO(answer.text)))

    return rows


def test_the_file_has_the_keys_of_a_redemption_in_their_order(
    new_voucher: Call, redeem: Call, call: Call, exported: Call
) -> None:
    redemption = redeem(new_voucher(), order_reference="POS-1", notes='In-store, "at"\nthe counter').json["data"]
    file = call("GET", "/exports/redemptions.csv")
    assert file.text.partition("\r\n")[0].split(",") == list(redemption)
    assert file.headers["Content-Disposition"] == 'attachment; filename="redemptions.csv"'
    assert exported() == [{key: "" if value is None else str(value) for key, value in redemption.items()}]


def test_all_vouchers_redemptions_come_in_the_order_in_which_they_happened(
    new_voucher: Call, redeem: Call, call: Call, exported: Call, clock: Call
) -> None:
    recent = redeem(new_voucher(), occurred_at=clock(-5)).json["data"]
    old = redeem(new_voucher(), occurred_at=clock(-9)).json["data"]
    call("POST", f"/vouchers/{old['voucher_id']}/redemptions/{old['id']}/rollback")
    rows = exported()
    assert [(row["id"], row["status"]) for row in rows] == [
        (str(old["id"]), "rolled_back"),
        (str(recent["id"]), "redeemed"),
    ]
    assert [row["id"] for row in exported(**{"from": clock(-6), "to": clock(-4)})] == [str(recent["id"])]
    assert [row["id"] for row in exported(to=clock(-7)[:10])] == [str(old["id"])]


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_what_a_till_typed_is_no_formula(formula: str, new_voucher: Call, redeem: Call, exported: Call) -> None:
    redeem(new_voucher(voucher_code="-X"), order_reference=formula, notes=formula)
    [row] = exported()
    assert (row["order_reference"], row["notes"], row["voucher_code"]) == (f"'{formula}", f"'{formula}", "'-X")


def test_without_redemptions_there_is_the_header(exported: Call, call: Call) -> None:
    assert exported() == []
    assert call("GET", "/exports/redemptions.csv").text.startswith("id,voucher_id,customer_id,")


def test_a_wrong_period_is_said_in_the_envelope(call: Call) -> None:
    answer = call("GET", "/exports/redemptions.csv?from=x")
    assert (answer.status_code, list(answer.json["error"]["details"])) == (400, ["from"])


def test_nobody_exports_anothers(new_voucher: Call, redeem: Call, call: Call, tenant_id: int) -> None:
    redeem(new_voucher())
    answer = call("GET", "/exports/redemptions.csv", tenant=tenant_id + 1_000_000)
    assert len(answer.text.splitlines()) == 1
