"""What the composing service is told of a customer, and of a span of days."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

Call = Callable[..., Any]
FAR = "2999-01-01T00:00:00+00:00"


@pytest.fixture
def ask(client: FlaskClient, tenant_id: int, identity_keys: Any) -> Callable[..., Any]:
    """``ask("/customers/1042/wallet", limit=5)``: the data that a service of the suite is answered."""

    def get(path: str, *, tenant: int = 0, status: int = 200, **params: Any) -> Any:
        token = identity_keys.signer("customers").mint("programs", tenant_id=tenant or tenant_id)
        answer = client.get(f"/internal{path}", query_string=params, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == status, answer.text
        return answer.json.get("data")

    return get


@pytest.fixture
def regular(call: Call, alex: int, insider: Callable[..., int], coffee_club: Callable[..., int]) -> dict[str, int]:
    """Alex has been welcomed with 50 points that expire in a year, bought for 24.50, spent 30, and got 11 stamps."""
    card, club = insider(points_expire_after_months=12), coffee_club()
    call("POST", f"/loyalty-cards/{card}/enrollments", {"customer_id": alex})
    call("POST", f"/loyalty-cards/{card}/transactions", {"customer_id": alex, "amount": 24.50, "currency": "USD"})
    call("POST", f"/loyalty-cards/{card}/redemptions", {"customer_id": alex, "points": 30})
    for title, cost in (("Free roast", 300), ("Free pastry", 30), ("Free biscuit", 20)):
        call("POST", f"/loyalty-cards/{card}/rewards", {"title": title, "points_cost": cost})
    call("POST", f"/stamp-cards/{club}/stamps", {"customer_id": alex, "quantity": 11})
    return {"card": card, "club": club, "alex": alex}


def test_a_wallet_has_balances_and_what_is_next(ask: Any, regular: dict[str, int]) -> None:
    wallet = ask(f"/customers/{regular['alex']}/wallet")
    [card], [club] = wallet["loyalty_cards"], wallet["stamp_cards"]
    assert card["loyalty_card"]["id"] == regular["card"]
    assert card["enrollment"]["points_balance"] == 22
    assert card["points_expiring_next"]["points"] == 22
    assert (card["next_reward"]["title"], card["next_reward"]["points_missing"]) == ("Free pastry", 8)
    assert wallet["referral_codes"] == []
    assert {key: club[key] for key in ("stamps_balance", "stamps_missing", "rewards_unlocked")} == {
        "stamps_balance": 1,
        "stamps_missing": 9,
        "rewards_unlocked": 1,
    }
    [reward] = wallet["rewards"]
    assert (reward["kind"], reward["title"], reward["status"]) == ("stamp", "Free coffee", "unlocked")


def test_somebody_without_cards_has_an_empty_wallet(ask: Any, alex: int) -> None:
    assert not any(ask(f"/customers/{alex}/wallet").values())


def test_an_export_has_every_row(ask: Any, regular: dict[str, int]) -> None:
    lists = ask(f"/customers/{regular['alex']}/export")
    assert [row["type"] for row in lists["transactions"]] == ["bonus", "earn", "redeem"]
    assert [row["type"] for row in lists["stamp_transactions"]] == ["earn", "reward"]
    assert [row["points"] for row in lists["redemptions"]] == [30]
    assert len(lists["enrollments"]) == len(lists["stamp_rewards"]) == 1


def test_another_tenant_is_told_nothing(ask: Any, regular: dict[str, int]) -> None:
    for view in ("wallet", "export"):
        assert not any(ask(f"/customers/{regular['alex']}/{view}", tenant=999_999).values())
    assert ask(f"/customers/{regular['alex']}/timeline", tenant=999_999, before=FAR) == []


def test_a_timeline_is_complete_page_by_page(ask: Any, regular: dict[str, int]) -> None:
    path = f"/customers/{regular['alex']}/timeline"
    whole = ask(path, before=FAR)
    assert sorted(entry["kind"] for entry in whole) == [
        "loyalty.enrolled",
        "points.bonus",
        "points.earn",
        "points.redeem",
        "stamps.earn",
        "stamps.reward",
    ]
    assert [entry["at"] for entry in whole] == sorted((entry["at"] for entry in whole), reverse=True)
    paged, before = [], FAR
    while page := ask(path, before=before, limit=1):
        paged += page
        before = page[-1]["at"]
    assert sorted(map(str, paged)) == sorted(map(str, whole))


def test_statistics_net_what_was_taken_back(ask: Any, call: Call, regular: dict[str, int], alex: int) -> None:
    today = datetime.now(UTC).date()
    days: dict[str, Any] = {"from": today - timedelta(days=40), "to": today + timedelta(days=1), "interval": "month"}
    days["time_zone"] = "America/New_York"
    before = ask("/statistics", **days)
    assert before["totals"] == {
        "members": 1,
        "new_members": 1,
        "points_earned": 52,
        "points_redeemed": 30,
        "points_outstanding": 22,
        "stamps_issued": 11,
        "stamp_rewards_fulfilled": 0,
        "referrals_completed": 0,
    }
    [bucket] = before["buckets"]
    assert {name: bucket[name] for name in bucket if name != "date"} == {
        "new_members": 1,
        "points_earned": 52,
        "points_redeemed": 30,
        "stamps_issued": 11,
        "referrals_completed": 0,
    }
    path = f"/loyalty-cards/{regular['card']}/transactions"
    for row in call("GET", path).json["data"]:
        if row["type"] != "bonus":
            assert call("POST", f"{path}/{row['id']}/reverse").status_code == 201
    after = ask("/statistics", **days)["totals"]
    assert (after["points_earned"], after["points_redeemed"], after["points_outstanding"]) == (50, 0, 50)
    elsewhere = ask("/statistics", **days, partner_location_id=77)["totals"]
    assert not any(elsewhere.values())


def test_a_span_that_is_none_is_refused(ask: Any) -> None:
    for change in (
        {"to": "2026-05-01"},
        {"time_zone": "Mars"},
        {"time_zone": "America"},
        {"time_zone": "../x"},
        {"interval": "year"},
        {"from": "yesterday"},
    ):
        days = {"from": "2026-05-02", "to": "2026-05-31", "time_zone": "UTC"}
        ask("/statistics", status=400, **days | change)


def test_statistics_look_up_a_time_zone_without_reading_all_there_are(ask: Any, monkeypatch: Any) -> None:
    walked: list[str] = []
    monkeypatch.setattr(os, "walk", lambda top, *_, **__: walked.append(top) or iter(()))
    days = {"from": "2026-05-02", "to": "2026-05-31", "time_zone": "America/New_York"}
    assert ask("/statistics", **days)["totals"]["points_earned"] == 0
    assert walked == []
