"""A till that was offline: its receipts, the card that they are of, and the day to compare."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

Call = Callable[..., Any]
Entry = Callable[..., dict[str, Any]]


@pytest.fixture
def noon() -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(hours=4)


@pytest.fixture
def window(noon: datetime) -> dict[str, str]:
    return {"from": (noon - timedelta(hours=8)).isoformat(), "to": (noon + timedelta(hours=5)).isoformat()}


@pytest.fixture
def entry(noon: datetime) -> Entry:
    """``entry(7, amount=5)``: the receipt POS-7 of a sale to Alex at noon."""
    sale = {"amount": 24.50, "currency": "USD", "customer_email": "alex@example.com", "occurred_at": noon.isoformat()}
    return lambda number, **more: {"reference": f"POS-{number}", **sale, **more}


@pytest.fixture
def card(call: Call, alex: int, insider: Callable[..., int], noon: datetime) -> int:
    # Issued long before noon by any clock.
    card = insider(initial_bonus_points=0, date_issued=(noon - timedelta(days=2)).date().isoformat())
    assert call("POST", f"/loyalty-cards/{card}/enrollments", {"customer_id": alex}).status_code == 201
    return card


@pytest.fixture
def reconcile(call: Call, card: int, window: dict[str, str]) -> Callable[..., Any]:
    def reconcile(entries: list[Any], **more: Any) -> Any:
        answer = call("POST", "/reconciliations", {"loyalty_card_id": card, **window, "entries": entries, **more})
        assert answer.status_code == 201, answer.text
        return answer.json["data"]

    return reconcile


@pytest.fixture
def sell(call: Call, card: int, entry: Entry) -> Callable[..., Any]:
    def sell(number: int, **more: Any) -> Any:
        answer = call("POST", f"/loyalty-cards/{card}/transactions", entry(number, **more))
        assert answer.status_code == 201, answer.text
        return answer.json["data"]

    return sell
