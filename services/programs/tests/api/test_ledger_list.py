from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

Call = Callable[..., Any]
HERE = ZoneInfo("America/New_York")


@pytest.fixture
def path(call: Call, alex: int, knows: Callable[..., int], insider: Callable[..., int]) -> str:
    """A card on which Alex bought twice and Sam once, each with a bonus."""
    knows(1050, "sam@example.com", name="Sam")
    path = f"/loyalty-cards/{insider(auto_enroll=True, date_issued='2020-01-01')}/transactions"
    for customer, reference in ((alex, "POS-1"), (alex, "POS-2"), (1050, "POS-3")):
        sale = {"customer_id": customer, "amount": 10, "currency": "USD", "reference": reference}
        assert call("POST", path, sale).status_code == 201
    return path


def references(response: Any) -> list[str | None]:
    assert response.status_code == 200, response.text
    assert response.json["meta"]["total"] in (None, len(response.json["data"]))
    return [row["purchase_reference"] for row in response.json["data"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["POS-3", None, "POS-2", "POS-1", None]),
        ("customer_id=1042", ["POS-2", "POS-1", None]),
        ("customer_email=SAM@example.com", ["POS-3", None]),
        ("customer_id=1042&customer_email=sam@example.com", []),
        ("customer_id=9999", []),
        ("reference=POS-2", ["POS-2"]),
        ("type=bonus", [None, None]),
        ("type=redeem", []),
        ("type=earn&customer_id=1050", ["POS-3"]),
        ("cursor=&type=earn", ["POS-3", "POS-2", "POS-1"]),
    ],
)
def test_the_ledger_is_listed_newest_first_and_filtered(call: Call, path: str, query: str, found: list[Any]) -> None:
    assert references(call("GET", f"{path}?{query}")) == found


@pytest.mark.parametrize(
    "query", ["type=gift", "from=yesterday", "to=2026-02-30", "from=9999-12-31", "customer_id=x", "customer_email=x"]
)
def test_a_filter_that_cannot_be_is_refused_under_its_name(call: Call, path: str, query: str) -> None:
    response = call("GET", f"{path}?{query}")
    assert (response.status_code, list(response.json["error"]["details"])) == (400, [query.split("=")[0]])


def test_a_date_is_the_whole_day_where_the_card_is_at_home(call: Call, path: str) -> None:
    day = (datetime.now(HERE) - timedelta(days=3)).replace(hour=0, minute=0, second=0, microsecond=0)
    moments = {
        "before": day - timedelta(seconds=1),
        "first": day,
        "last": day + timedelta(days=1, seconds=-1),
        "after": day + timedelta(days=1),
    }
    for reference, moment in moments.items():
        sale = {"customer_id": 1042, "amount": 10, "currency": "USD", "reference": reference}
        call("POST", path, {**sale, "occurred_at": moment.astimezone(UTC).isoformat()})
    assert references(call("GET", f"{path}?from={day.date()}&to={day.date()}")) == ["last", "first"]


def test_times_are_inclusive_at_both_ends(call: Call, path: str) -> None:
    moment = datetime.now(UTC).replace(microsecond=250_000) - timedelta(days=3)
    sale = {"customer_id": 1042, "amount": 10, "currency": "USD", "reference": "then"}
    shown = call("POST", path, {**sale, "occurred_at": moment.isoformat()}).json["data"]["occurred_at"]
    query = {"from": shown, "to": shown}
    assert references(call("GET", path, query_string=query)) == ["then"]
    assert references(call("GET", path, query_string={"to": (moment - timedelta(seconds=1)).isoformat()})) == []


def test_a_cursor_walks_the_ledger_once_while_it_grows(call: Call, path: str) -> None:
    walked: list[Any] = []
    following: str | None = f"{path}?per_page=2&cursor="
    while following:
        page = call("GET", following).json
        walked += [row["id"] for row in page["data"]]
        call("POST", path, {"customer_id": 1042, "points": 1})
        following = (page["links"]["next"] or "").removeprefix("https://loyalty.test/api/v1") or None
    assert len(walked) == len(set(walked)) == 5
