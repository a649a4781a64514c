"""When it happened against when we heard of it: a till that was offline sends its queue later."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

Call = Callable[..., Any]
HERE = ZoneInfo("America/New_York")


def test_a_sale_of_yesterday_earns_on_a_card_that_expired_since(
    call: Call, alex: int, insider: Callable[..., int]
) -> None:
    yesterday = datetime.now(HERE) - timedelta(days=1)
    card = insider(date_issued="2020-01-01", expiry_date=str(yesterday.date()), auto_enroll=True)
    sale = {"customer_id": alex, "amount": 24.50, "currency": "USD"}
    late = call("POST", f"/loyalty-cards/{card}/transactions", {**sale, "occurred_at": yesterday.isoformat()})
    assert late.status_code == 201
    row = late.json["data"]
    assert row["occurred_at"] == yesterday.astimezone(UTC).isoformat(timespec="seconds")
    assert row["recorded_at"] > row["occurred_at"]
    now = call("POST", f"/loyalty-cards/{card}/transactions", sale)
    assert (now.json["error"]["reason"], now.json["error"]["details"]) == ("card_expired", {})


def test_a_sale_from_before_the_card_was_issued_is_refused(
    call: Call, alex: int, insider: Callable[..., int], coffee_club: Callable[..., int]
) -> None:
    today, before = str(datetime.now(HERE).date()), (datetime.now(HERE) - timedelta(days=2)).isoformat()
    card, club = insider(date_issued=today, auto_enroll=True), coffee_club(valid_from=today)
    sale = {"customer_id": alex, "amount": 24.50, "currency": "USD", "occurred_at": before}
    refused = call("POST", f"/loyalty-cards/{card}/transactions", sale)
    assert refused.json["error"]["reason"] == "card_not_yet_valid"
    refused = call("POST", f"/stamp-cards/{club}/stamps", sale)
    assert refused.json["error"]["reason"] == "stamp_card_not_yet_valid"


@pytest.mark.parametrize("off", [timedelta(minutes=6), timedelta(days=-30, minutes=-1)])
def test_what_is_too_far_away_to_have_happened_is_refused(
    call: Call, alex: int, insider: Callable[..., int], coffee_club: Callable[..., int], off: timedelta
) -> None:
    sale = {"customer_id": alex, "amount": 24.50, "currency": "USD"}
    sale["occurred_at"] = (datetime.now(UTC) + off).isoformat()
    for path in (f"/loyalty-cards/{insider()}/transactions", f"/stamp-cards/{coffee_club()}/stamps"):
        refused = call("POST", path, sale)
        assert (refused.status_code, list(refused.json["error"]["details"])) == (400, ["occurred_at"])


@pytest.mark.parametrize("off", [timedelta(minutes=4), timedelta(days=-29, hours=-23)])
def test_a_clock_that_is_a_little_ahead_and_a_month_offline_are_fine(
    call: Call, alex: int, insider: Callable[..., int], off: timedelta
) -> None:
    card = insider(date_issued="2020-01-01", auto_enroll=True)
    at = (datetime.now(UTC) + off).isoformat()
    sale = {"customer_id": alex, "amount": 24.50, "currency": "USD", "occurred_at": at}
    assert call("POST", f"/loyalty-cards/{card}/transactions", sale).status_code == 201


def test_points_expire_counted_from_when_it_happened(call: Call, alex: int, insider: Callable[..., int]) -> None:
    card = insider(date_issued="2020-01-01", points_expire_after_months=12, auto_enroll=True)
    earlier = datetime.now(UTC) - timedelta(days=20)
    sale = {"customer_id": alex, "amount": 24.50, "currency": "USD", "occurred_at": earlier.isoformat()}
    row = call("POST", f"/loyalty-cards/{card}/transactions", sale).json["data"]
    assert row["expires_on"][:7] == f"{earlier.astimezone(HERE).year + 1}-{earlier.astimezone(HERE).month:02d}"
