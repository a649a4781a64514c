"""A till that was offline is told what the ledger has of its receipts."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

Call = Callable[..., Any]
Entry = Callable[..., dict[str, Any]]
Reconcile = Callable[..., Any]
Sell = Callable[..., Any]


def test_a_matched_receipt_is_answered_as_the_contract_shows(
    call: Call,
    card: int,
    alex: int,
    sell: Callable[..., Any],
    reconcile: Reconcile,
    entry: Entry,
    window: dict[str, str],
    noon: datetime,
) -> None:
    sold = sell(88421)
    found = reconcile([entry(88421)])
    assert found == {
        "id": found["id"],
        "loyalty_card_id": card,
        **window,
        "status": "compared",
        "counts": {"matched": 1, "missing": 0, "amount_differs": 0, "reversed": 0, "not_in_request": 0},
        "entries": [
            {
                "reference": "POS-88421",
                "status": "matched",
                "amount": "24.50",
                "recorded_amount": "24.50",
                "currency": "USD",
                "recorded_currency": "USD",
                "customer_id": alex,
                "occurred_at": noon.isoformat(),
                "transaction_id": sold["id"],
                "applied_transaction_id": None,
                "error": None,
            }
        ],
        "job": None,
        "created_at": found["created_at"],
        "applied_at": None,
    }
    assert call("GET", f"/reconciliations/{found['id']}").json["data"] == found
    listed = {key: value for key, value in found.items() if key != "entries"}
    assert call("GET", "/reconciliations").json["data"] == [listed]
    assert call("GET", "/reconciliations?cursor=").json["data"] == [listed]


def test_every_receipt_gets_its_status(
    call: Call, card: int, sell: Callable[..., Any], reconcile: Reconcile, entry: Entry, noon: datetime
) -> None:
    sold = [sell(number) for number in (1, 2, 3, 4)]
    forgotten, nameless = sell(99), sell(0, reference=None)
    sell(98, occurred_at=(noon - timedelta(hours=9)).isoformat())
    for row, refund in ((sold[2], {}), (sold[3], {"amount": 10})):
        assert call("POST", f"/loyalty-cards/{card}/transactions/{row['id']}/reverse", refund).status_code == 201
    found = reconcile([entry(1), entry(2, amount="24.51"), entry(3), entry(4), entry(5, customer_email=None)])
    assert [(one["reference"], one["status"]) for one in found["entries"]] == [
        ("POS-1", "matched"),
        ("POS-2", "amount_differs"),
        ("POS-3", "reversed"),
        ("POS-4", "matched"),
        ("POS-5", "missing"),
        ("POS-99", "not_in_request"),
        (None, "not_in_request"),
    ]
    assert found["counts"] == {"matched": 2, "missing": 1, "amount_differs": 1, "reversed": 1, "not_in_request": 2}
    differs, other = found["entries"][1], found["entries"][5]
    assert (differs["amount"], differs["recorded_amount"]) == ("24.51", "24.50")
    assert (other["amount"], other["recorded_amount"], other["transaction_id"]) == (None, "24.50", forgotten["id"])
    assert found["entries"][6]["transaction_id"] == nameless["id"]

    path = f"/reconciliations/{found['id']}/entries"
    assert call("GET", path).json["data"] == found["entries"][::-1]
    assert call("GET", f"{path}?status=not_in_request&cursor=").json["data"] == found["entries"][:4:-1]
    assert call("GET", f"{path}?per_page=2&page=4").json["data"] == found["entries"][:1]
    assert call("GET", f"{path}?status=lost").status_code == 400


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"loyalty_card_id": 999_999}, "loyalty_card_id"),
        ({"from": None}, "from"),
        ({"from": "2020-01-01T00:00:00+00:00"}, "from"),
        ({"to": "2020-01-01T00:00:00+00:00"}, "to"),
        ({"entries": None}, "entries"),
        ({"entries": []}, "entries"),
        ({"entries": "POS-1"}, "entries"),
        ({"entries": [None]}, "entries.0"),
        ({"entries": ["POS-1"]}, "entries.0"),
        ({"entries": [{"reference": f"POS-{n}", "amount": 1, "currency": "USD"} for n in range(5001)]}, "entries"),
    ],
)
def test_a_request_that_cannot_be_compared_is_refused(
    call: Call, card: int, entry: Entry, window: dict[str, str], sent: dict[str, Any], field: str
) -> None:
    refused = call("POST", "/reconciliations", {"loyalty_card_id": card, **window, "entries": [entry(0)], **sent})
    assert (refused.status_code, list(refused.json["error"]["details"])) == (400, [field])
    assert call("GET", "/reconciliations").json["meta"]["total"] == 0


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ([{}, {"amount": -1}, {"reference": " "}], ["entries.1.amount", "entries.2.reference"]),
        ([{"amount": "24.501"}], ["entries.0.amount"]),
        ([{"currency": "XXQ"}], ["entries.0.currency"]),
        ([{}, {}, {"reference": "POS-0", "amount": 5}], ["entries.2.reference"]),
        ([{"occurred_at": "2020-01-01T00:00:00+00:00"}], ["entries.0.occurred_at"]),
        ([{"occurred_at": "2999-01-01T00:00:00+00:00"}], ["entries.0.occurred_at"]),
        ([{}, {"customer_id": 1050}], ["entries.1.customer_email"]),
    ],
)
def test_an_entry_that_cannot_be_meant_is_refused_where_it_stands(
    call: Call,
    card: int,
    knows: Callable[..., int],
    entry: Entry,
    window: dict[str, str],
    changes: list[dict[str, Any]],
    fields: list[str],
) -> None:
    knows(1050, "sam@example.com")
    entries = [entry(number, **change) for number, change in enumerate(changes)]
    refused = call("POST", "/reconciliations", {"loyalty_card_id": card, **window, "entries": entries})
    assert (refused.status_code, list(refused.json["error"]["details"])) == (400, fields)
    assert call("GET", "/reconciliations").json["meta"]["total"] == 0


def test_a_reconciliation_of_another_tenant_does_not_exist(
    call: Call, card: int, reconcile: Reconcile, entry: Entry, window: dict[str, str], tenant_id: int
) -> None:
    stranger = tenant_id + 100_000
    path = f"/reconciliations/{reconcile([entry(1)])['id']}"
    for method, below in (("GET", ""), ("GET", "/entries"), ("POST", "/apply")):
        assert call(method, path + below, tenant=stranger).status_code == 404
        assert call(method, f"/reconciliations/999999{below}").status_code == 404
    assert call("GET", "/reconciliations", tenant=stranger).json["data"] == []
    foreign = call(
        "POST", "/reconciliations", {"loyalty_card_id": card, **window, "entries": [entry(1)]}, tenant=stranger
    )
    assert (foreign.status_code, list(foreign.json["error"]["details"])) == (400, ["loyalty_card_id"])
