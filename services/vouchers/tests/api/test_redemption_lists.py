"""GET /vouchers/{id}/redemptions with its filters."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

Call = Callable[..., Any]


@pytest.fixture
def listed(call: Call) -> Callable[..., list[Any]]:
    def ids(voucher: dict[str, Any], **filters: Any) -> list[Any]:
        answer = call("GET", f"/vouchers/{voucher['id']}/redemptions", query_string=filters)
        assert answer.status_code == 200, answer.json
        return [redemption["id"] for redemption in answer.json["data"]]

    return ids


def test_a_vouchers_redemptions_are_listed_newest_first_and_nobody_elses(
    new_voucher: Call, redeem: Call, call: Call
) -> None:
    voucher, other = new_voucher(), new_voucher()
    redeemed = [redeem(voucher).json["data"] for _ in range(3)]
    redeem(other)
    page = call("GET", f"/vouchers/{voucher['id']}/redemptions?per_page=2").json
    assert (page["data"], page["meta"]["total"]) == (redeemed[:0:-1], 3)
    assert page["links"]["next"] == (
        f"https://loyalty.test/api/v1/vouchers/{voucher['id']}/redemptions?per_page=2&page=2"
    )


def test_a_cursor_walks_a_filtered_list_once(new_voucher: Call, redeem: Call, call: Call) -> None:
    voucher = new_voucher()
    redeemed = [redeem(voucher).json["data"]["id"] for _ in range(5)]
    walked, following = [], f"/vouchers/{voucher['id']}/redemptions?status=redeemed&per_page=2&cursor="
    while following:
        page = call("GET", following.removeprefix("https://loyalty.test/api/v1")).json
        walked += [redemption["id"] for redemption in page["data"]]
        following = page["links"]["next"]
    assert walked == redeemed[::-1]


def test_the_list_is_filtered_by_customer_status_and_order(
    new_voucher: Call, redeem: Call, call: Call, know: Call, person: Call, listed: Call
) -> None:
    voucher = new_voucher()
    know(person(id=7, email="sam@example.com"))
    alex = redeem(voucher, order_reference="POS-1").json["data"]["id"]
    undone = redeem(voucher, order_reference="POS-2").json["data"]["id"]
    call("POST", f"/vouchers/{voucher['id']}/redemptions/{undone}/rollback")
    again = redeem(voucher, order_reference="POS-2", customer_id=7).json["data"]["id"]
    assert listed(voucher, customer_id=7) == [again]
    assert listed(voucher, customer_email="ALEX@example.com") == [undone, alex]
    assert listed(voucher, customer_email="nobody@example.com") == []
    assert listed(voucher, customer_id=7, customer_email="alex@example.com") == []
    assert listed(voucher, status="rolled_back") == [undone]
    assert listed(voucher, status="redeemed") == [again, alex]
    assert listed(voucher, order_reference="POS-2") == [again, undone]
    assert listed(voucher, order_reference="POS-2", status="redeemed", customer_id=7) == [again]


def test_the_period_is_that_in_which_it_happened(new_voucher: Call, redeem: Call, listed: Call, clock: Call) -> None:
    voucher = new_voucher()
    old, recent = (redeem(voucher, occurred_at=clock(days)).json["data"]["id"] for days in (-20, -10))
    now = redeem(voucher).json["data"]["id"]
    assert listed(voucher, **{"from": clock(-10)}) == [now, recent]
    # A moment is where the next period begins.
    assert listed(voucher, to=clock(-10)) == [old]
    assert listed(voucher, **{"from": clock(-20), "to": clock(-9)}) == [recent, old]


def test_days_are_those_of_the_organization_and_both_included(new_voucher: Call, redeem: Call, listed: Call) -> None:
    # The organization of these tests is in New York.
    voucher, day = new_voucher(), (datetime.now().astimezone() - timedelta(days=10)).date()
    midnight_there = f"{day}T23:30:00-05:00"
    late = redeem(voucher, occurred_at=midnight_there).json["data"]["id"]
    assert listed(voucher, **{"from": day, "to": day}) == [late]
    assert listed(voucher, **{"from": day + timedelta(days=1)}) == []
    assert listed(voucher, to=day - timedelta(days=1)) == []
    assert listed(voucher, **{"from": "0001-01-01", "to": "9999-12-31"}) == [late]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("customer_id=x", "customer_id"),
        ("customer_email=alex", "customer_email"),
        ("status=lost", "status"),
        ("from=yesterday", "from"),
        ("to=2026-02-30", "to"),
        ("to=2026-02-20T25:00:00Z", "to"),
        ("per_page=101", "per_page"),
    ],
)
def test_a_wrong_filter_is_said(query: str, field: str, new_voucher: Call, call: Call) -> None:
    answer = call("GET", f"/vouchers/{new_voucher()['id']}/redemptions?{query}")
    assert (answer.status_code, list(answer.json["error"]["details"])) == (400, [field])


def test_no_list_where_there_is_no_voucher(call: Call, new_voucher: Call, tenant_id: int) -> None:
    voucher = new_voucher()
    for path in ("/vouchers/4711/redemptions", "/vouchers/4711/redemptions?page=0"):
        assert call("GET", path).status_code == 404
    assert call("GET", f"/vouchers/{voucher['id']}/redemptions", tenant=tenant_id + 1_000_000).status_code == 404
