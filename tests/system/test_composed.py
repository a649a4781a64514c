"""What is put together from several services, through the one door."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest


@pytest.fixture
def regular(merchant: Any) -> dict[str, Any]:
    """Alex, who has a card with 52 points, 4 stamps, a voucher that he used, and one that he can use."""
    at = {"partner_location_id": merchant.partner_location_id}
    api = merchant.api
    alex = api.data("POST", "/customers", {"email": "alex@example.com", "name": "Alex Rivera"})
    of = {"customer_id": alex["id"]}
    earning = {"earn_spend_amount": 10, "earn_points": 1, "initial_bonus_points": 50}
    card = api.data("POST", "/loyalty-cards", {"name": "Insider Points", **at, **earning})
    api.data("POST", f"/loyalty-cards/{card['id']}/enrollments", of)
    purchase = {**of, "amount": 24.50, "currency": "USD", "reference": "POS-88421"}
    api.data("POST", f"/loyalty-cards/{card['id']}/transactions", purchase)
    club = api.data("POST", "/stamp-cards", {"name": "Coffee Club", **at, "stamps_required_for_reward": 10})
    api.data("POST", f"/stamp-cards/{club['id']}/stamps", {**of, "quantity": 4})
    discount = {"discount_type": "percent", "discount_value": 20, "max_redemptions_per_customer": 1}
    used = api.data("POST", "/vouchers", {"name": "Once", **at, **discount})
    usable = api.data("POST", "/vouchers", {"name": "Spring Savings", **at, **discount})
    api.data("POST", f"/vouchers/{used['id']}/redeem", {**of, "order_amount": 45})
    return {"alex": alex, "card": card, "club": club, "usable": usable}


def test_a_wallet_holds_what_a_customer_has(merchant: Any, regular: dict[str, Any]) -> None:
    answer = merchant.api.call("GET", f"/customers/{regular['alex']['id']}/wallet").json()
    wallet = answer["data"]
    assert answer["meta"]["unavailable"] == []
    assert wallet["customer"] == regular["alex"]
    [card], [club] = wallet["loyalty_cards"], wallet["stamp_cards"]
    assert (card["loyalty_card"], card["enrollment"]["points_balance"]) == (regular["card"], 52)
    assert (club["stamp_card"], club["stamps_balance"], club["stamps_missing"]) == (regular["club"], 4, 6)
    assert [voucher["id"] for voucher in wallet["vouchers"]] == [regular["usable"]["id"]]


@contextmanager
def down(suite: Any, service: str) -> Iterator[None]:
    """Nobody listens at its port."""
    process = suite.processes[f"{service}-serve"]
    process.stop()
    try:
        yield
    finally:
        process.start()
        suite.wait_ready()


@contextmanager
def silent(suite: Any, service: str) -> Iterator[None]:
    """It takes connections, and never says anything."""
    group = suite.processes[f"{service}-serve"].pid
    os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(group, signal.SIGCONT)
        suite.wait_ready()


@pytest.mark.parametrize(
    ("service", "how", "emptied"),
    [
        ("programs", down, ("loyalty_cards", "stamp_cards", "rewards", "referral_codes")),
        ("vouchers", silent, ("vouchers",)),
    ],
)
def test_a_wallet_says_who_did_not_answer_and_holds_the_rest(
    suite: Any, merchant: Any, regular: dict[str, Any], service: str, how: Any, emptied: tuple[str, ...]
) -> None:
    path = f"/customers/{regular['alex']['id']}/wallet"
    whole = merchant.api.data("GET", path)
    assert whole[emptied[0]]
    with how(suite, service):
        answer = merchant.api.call("GET", path)
    assert answer.status_code == 200, answer.text
    assert answer.json()["meta"]["unavailable"] == [service]
    assert answer.json()["data"] == {**whole, **{name: [] for name in emptied}}
    assert merchant.api.call("GET", path).json()["meta"]["unavailable"] == []


def test_what_is_told_as_a_whole_is_told_whole_or_not_at_all(
    suite: Any, merchant: Any, regular: dict[str, Any]
) -> None:
    with down(suite, "vouchers"):
        answers = [
            merchant.api.call("GET", path)
            for path in (
                *(f"/customers/{regular['alex']['id']}/{view}" for view in ("export", "timeline")),
                "/statistics",
            )
        ]
    for answer in answers:
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
        assert int(answer.headers["Retry-After"]) >= 1


def test_an_export_holds_everything_and_the_events_too(merchant: Any, regular: dict[str, Any]) -> None:
    path = f"/customers/{regular['alex']['id']}/export"
    deadline = time.monotonic() + 30
    while len((export := merchant.api.data("GET", path))["events"]) < 6:  # Events take a moment to be logged.
        assert time.monotonic() < deadline, export["events"]
        time.sleep(0.1)
    assert [row["type"] for row in export["transactions"]] == ["bonus", "earn"]
    counted = {name: len(rows) for name, rows in export.items() if isinstance(rows, list)}
    assert {name: count for name, count in counted.items() if count} == {
        "enrollments": 1,
        "transactions": 2,
        "stamp_transactions": 1,
        "voucher_redemptions": 1,
        "events": 6,
    }
    assert {event["event"] for event in export["events"]} == {
        "customer.created",
        "loyalty.enrolled",
        "loyalty.points_earned",
        "stamp.issued",
        "voucher.redeemed",
    }


def test_a_timeline_tells_everything_once_newest_first(merchant: Any, regular: dict[str, Any]) -> None:
    entries: list[Any] = []
    url = f"/customers/{regular['alex']['id']}/timeline?per_page=2"
    while url:
        page = merchant.api.call("GET", url).json()
        entries += page["data"]
        url = (page["links"]["next"] or "").rpartition("/api/v1")[2]
    kinds = [entry["kind"] for entry in entries]
    assert sorted(kinds) == sorted(
        [
            "customer.created",
            "loyalty.enrolled",
            "points.bonus",
            "points.earn",
            "stamps.earn",
            "voucher.redeemed",
        ]
    )
    assert (kinds[0], kinds[-1]) == ("voucher.redeemed", "customer.created")
    assert next(entry for entry in entries if entry["kind"] == "points.earn")["transaction"]["amount"] == "24.50"


def test_statistics_count_for_the_merchant(merchant: Any, regular: dict[str, Any]) -> None:
    statistics = merchant.api.data("GET", "/statistics")
    assert statistics["totals"] == {
        "members": 1,
        "new_members": 1,
        "points_earned": 52,
        "points_redeemed": 0,
        "points_outstanding": 52,
        "stamps_issued": 4,
        "stamp_rewards_fulfilled": 0,
        "vouchers_redeemed": 1,
        "discount_amount": "9.00",
        "referrals_completed": 0,
    }
    assert len(statistics["buckets"]) == 31
    assert statistics["buckets"][-1] == {
        "date": statistics["to"],
        "new_members": 1,
        "points_earned": 52,
        "points_redeemed": 0,
        "stamps_issued": 4,
        "vouchers_redeemed": 1,
        "referrals_completed": 0,
    }
    assert merchant.test_api.data("GET", "/statistics")["totals"]["points_earned"] == 0
    assert abs(datetime.now(UTC).date().toordinal() - datetime.fromisoformat(statistics["to"]).toordinal()) <= 1


@pytest.mark.parametrize("query", ["from=2026-02-01&to=2026-01-01", "from=2000-01-01&to=2026-01-01", "interval=hour"])
def test_a_span_that_makes_no_sense_is_400(merchant: Any, query: str) -> None:
    assert merchant.api.call("GET", f"/statistics?{query}").status_code == 400


def test_nobody_else_sees_any_of_it(suite: Any, found_merchant: Any, regular: dict[str, Any]) -> None:
    stranger = found_merchant(suite)
    for view in ("wallet", "export", "timeline"):
        assert stranger.api.call("GET", f"/customers/{regular['alex']['id']}/{view}").status_code == 404
