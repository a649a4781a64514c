"""What the customers service and the gateway put into what they show."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

Call = Callable[..., Any]


@pytest.fixture
def roll_back(call: Call) -> Call:
    def post(redemption: dict[str, Any]) -> Any:
        path = f"/vouchers/{redemption['voucher_id']}/redemptions/{redemption['id']}/rollback"
        return call("POST", path).json["data"]

    return post


@pytest.fixture
def wallet(ask: Call) -> Callable[[], list[Any]]:
    return lambda: [voucher["id"] for voucher in ask("/customers/1042/wallet").json["data"]["vouchers"]]


def test_a_wallet_has_the_vouchers_that_could_be_redeemed_now_newest_first(
    new_voucher: Call, redeem: Call, ask: Call, clock: Call
) -> None:
    old = new_voucher(valid_from=clock(-3)[:10], valid_until=clock(3)[:10], max_redemptions=2)
    for out in (
        {"is_active": False},
        {"valid_until": clock(-2)[:10]},
        {"valid_from": clock(2)[:10]},
    ):
        new_voucher(**out)
    redeem(new_voucher(max_redemptions=1))
    redeem(new_voucher(max_redemptions_per_customer=1))
    new = new_voucher(minimum_order_amount=100)
    redeem(old)
    shown = ask("/customers/1042/wallet").json["data"]
    assert shown == {"vouchers": [new, {**old, "redemptions_count": 1}]}


def test_a_wallet_is_one_customers(new_voucher: Call, redeem: Call, ask: Call, know: Call, person: Call) -> None:
    know(person(id=7, email="sam@example.com"))
    voucher = new_voucher(max_redemptions_per_customer=1)
    redeem(voucher, customer_id=7)
    assert [one["id"] for one in ask("/customers/1042/wallet").json["data"]["vouchers"]] == [voucher["id"]]
    assert ask("/customers/7/wallet").json["data"] == {"vouchers": []}


def test_a_use_that_was_rolled_back_is_in_the_wallet_again(
    new_voucher: Call, redeem: Call, roll_back: Call, wallet: Call
) -> None:
    voucher = new_voucher(max_redemptions=1, max_redemptions_per_customer=1)
    redemption = redeem(voucher).json["data"]
    assert wallet() == []
    roll_back(redemption)
    assert wallet() == [voucher["id"]]


def test_the_codes_of_batches_are_in_nobodys_wallet(call: Call, new_voucher: Call, wallet: Call) -> None:
    voucher = new_voucher()
    mailing = {"name": "May", "quantity": 3, "partner_location_id": 2, "discount_type": "fixed", "discount_value": 5}
    assert call("POST", "/voucher-batches", mailing).status_code == 201
    assert wallet() == [voucher["id"]]


def test_a_wallet_holds_fifty(call: Call, new_voucher: Call, wallet: Call) -> None:
    vouchers = [new_voucher()["id"] for _ in range(52)]
    assert wallet() == vouchers[:1:-1]


def test_an_export_has_all_of_a_customers_redemptions(
    new_voucher: Call, redeem: Call, roll_back: Call, ask: Call, know: Call, person: Call, tenant_id: int
) -> None:
    know(person(id=7, email="sam@example.com"))
    undone = roll_back(redeem(new_voucher()).json["data"])
    redeem(new_voucher(), customer_id=7)
    standing = redeem(new_voucher()).json["data"]
    assert ask("/customers/1042/export").json["data"] == {"voucher_redemptions": [standing, undone]}
    stranger = ask("/customers/1042/export", tenant=tenant_id + 1_000_000)
    assert stranger.json["data"] == {"voucher_redemptions": []}


def test_a_timeline_tells_both_ends_of_a_redemption_newest_first(
    new_voucher: Call, redeem: Call, roll_back: Call, ask: Call, clock: Call
) -> None:
    undone = redeem(new_voucher(), occurred_at=clock(-2)).json["data"]
    standing = redeem(new_voucher(), occurred_at=clock(-1)).json["data"]
    undone = roll_back(undone)
    entries = ask("/customers/1042/timeline").json["data"]
    assert [(entry["kind"], entry["voucher_redemption"]) for entry in entries] == [
        ("voucher.rolled_back", undone),
        ("voucher.redeemed", standing),
        ("voucher.redeemed", undone),
    ]
    assert [entry["at"] for entry in entries][1:] == [standing["redeemed_at"], undone["redeemed_at"]]


def test_a_timeline_pages_without_losing_what_happened_at_one_moment(
    new_voucher: Call, redeem: Call, roll_back: Call, ask: Call, clock: Call
) -> None:
    voucher = new_voucher()
    redeemed = [redeem(voucher, occurred_at=clock(days)).json["data"] for days in (-3, -2, -2, -2, -1)]
    roll_back(redeemed[0])
    walked, before = [], None
    while entries := ask("/customers/1042/timeline", limit=2, **({"before": before} if before else {})).json["data"]:
        walked.append([(entry["kind"].partition(".")[2], entry["voucher_redemption"]["id"]) for entry in entries])
        before = entries[-1]["at"]
    ids = [redemption["id"] for redemption in redeemed]
    assert walked == [
        [("rolled_back", ids[0]), ("redeemed", ids[4])],
        [("redeemed", ids[3]), ("redeemed", ids[2]), ("redeemed", ids[1])],
        [("redeemed", ids[0])],
    ]


MARCH = {"from": "2026-03-07", "to": "2026-03-09", "time_zone": "America/New_York", "currency": "USD"}
_SOLD = """
insert into redemptions (tenant_id, id, voucher_id, customer_id, voucher_code, order_amount, discount_amount, currency,
    partner_location_id, source, redeemed_at, rolled_back_at, created_at)
values (:tenant_id, nextval('redemption_ids'), 3, 1042, 'X', 500, :discount, :currency, :location, 'api',
    cast(:at as timestamptz), cast(:rolled_back_at as timestamptz), now())
"""


@pytest.fixture
def sold(engine: Engine, tenant_id: int) -> Callable[..., None]:
    def insert(at: str, **changed: Any) -> None:
        usual = {"discount": "9.50", "currency": "USD", "location": 2, "rolled_back_at": None}
        with engine.begin() as connection:
            connection.execute(text(_SOLD), {**usual, **changed, "tenant_id": tenant_id, "at": at})

    return insert


def test_statistics_count_what_stands_by_the_days_of_a_place(sold: Call, ask: Call) -> None:
    # The clocks of New York go forward on the 8th, which has 23 hours.
    for at in (
        "2026-03-07T04:59:59Z",  # the 6th
        "2026-03-07T05:00:00Z",
        "2026-03-08T05:00:00Z",
        "2026-03-09T03:59:59Z",  # still the 8th
        "2026-03-09T04:00:00Z",
        "2026-03-10T03:59:59Z",
        "2026-03-10T04:00:00Z",  # the 10th
    ):
        sold(at)
    sold("2026-03-08T12:00:00Z", rolled_back_at="2026-03-08T13:00:00Z")
    assert ask("/statistics", **MARCH).json["data"] == {
        "totals": {"vouchers_redeemed": 5, "discount_amount": "47.50"},
        "buckets": [
            {"date": "2026-03-07", "vouchers_redeemed": 1},
            {"date": "2026-03-08", "vouchers_redeemed": 2},
            {"date": "2026-03-09", "vouchers_redeemed": 2},
        ],
    }


def test_statistics_add_up_one_currency_and_one_location(sold: Call, ask: Call, tenant_id: int) -> None:
    sold("2026-03-08T12:00:00Z")
    sold("2026-03-08T12:00:00Z", location=3, discount="500", currency="JPY")
    sold("2026-03-08T12:00:00Z", location=None)
    totals = ask("/statistics", **MARCH).json["data"]["totals"]
    assert totals == {"vouchers_redeemed": 3, "discount_amount": "19.00"}
    there = ask("/statistics", **{**MARCH, "currency": "jpy", "partner_location_id": 3}).json["data"]["totals"]
    assert there == {"vouchers_redeemed": 1, "discount_amount": "500.00"}
    elsewhere = ask("/statistics", tenant=tenant_id + 1_000_000, **MARCH).json["data"]["totals"]
    assert elsewhere == {"vouchers_redeemed": 0, "discount_amount": "0.00"}


@pytest.mark.parametrize(
    ("interval", "dates"),
    [
        ("week", ["2026-02-23", "2026-03-02", "2026-03-09"]),
        ("month", ["2026-02-01", "2026-03-01"]),
    ],
)
def test_weeks_start_on_mondays_and_none_is_left_out(interval: str, dates: list[str], sold: Call, ask: Call) -> None:
    sold("2026-03-08T12:00:00Z")
    asked = {**MARCH, "from": "2026-02-27", "to": "2026-03-10", "interval": interval}
    buckets = ask("/statistics", **asked).json["data"]["buckets"]
    assert [bucket["date"] for bucket in buckets] == dates
    assert [bucket["vouchers_redeemed"] for bucket in buckets] == [1 if date == dates[1] else 0 for date in dates]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"from": None}, "from"),
        ({"to": "2026-03-06"}, "to"),
        ({"to": "2046-03-06"}, "to"),
        ({"from": "9999-12-30", "to": "9999-12-31"}, "to"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "../etc"}, "time_zone"),
        ({"time_zone": "America"}, "time_zone"),
        ({"interval": "hour"}, "interval"),
        ({"currency": None}, "currency"),
    ],
)
def test_a_wrong_question_is_said(wrong: dict[str, Any], field: str, ask: Call) -> None:
    asked = {name: value for name, value in {**MARCH, **wrong}.items() if value is not None}
    answer = ask("/statistics", **asked)
    assert (answer.status_code, list(answer.json["error"]["details"])) == (400, [field])


def test_a_tenant_uses_its_currency_once_it_has_a_voucher(new_voucher: Call, ask: Call, tenant_id: int) -> None:
    assert ask("/usage").json["data"] == {"vouchers": False}
    new_voucher()
    assert ask("/usage").json["data"] == {"vouchers": True}
    assert ask("/usage", tenant=tenant_id + 1_000_000).json["data"] == {"vouchers": False}


@pytest.mark.parametrize(
    "path", ["/customers/1/wallet", "/customers/1/export", "/customers/1/timeline", "/statistics", "/usage"]
)
def test_the_gateways_callers_do_not_open_these_doors(path: str, client: FlaskClient, gateway_token: Call) -> None:
    headers = {"Authorization": f"Bearer {gateway_token('vouchers')}"}
    assert client.get(f"/internal{path}", headers=headers).status_code == 401
