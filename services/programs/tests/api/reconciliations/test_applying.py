"""What a till has and the ledger has not is posted, each receipt once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

Call = Callable[..., Any]
Entry = Callable[..., dict[str, Any]]
Reconcile = Callable[..., Any]


def test_what_is_missing_is_posted_once_and_the_rest_says_why_not(
    call: Call,
    card: int,
    alex: int,
    knows: Callable[..., int],
    reconcile: Reconcile,
    entry: Entry,
    noon: datetime,
    engine: Engine,
    tenant_id: int,
    events: Callable[[], Any],
    books_balance: Callable[[], None],
) -> None:
    gone = knows(1050, "gone@example.com")
    knows(1051, "sam@example.com")
    with engine.begin() as connection:
        erased = "update customer_directory set erased_at = now() where tenant_id = %s and customer_id = %s"
        connection.exec_driver_sql(erased, (tenant_id, gone))
    missing = [
        entry(1),
        entry(2, customer_email=None),
        entry(3, customer_email=None, customer_id=alex),
        entry(4, currency="EUR"),
        entry(5, customer_email=None, customer_id=gone),
        entry(6, occurred_at=None),
        entry(7, customer_email="sam@example.com"),
    ]
    found = reconcile(missing)
    answer = call("POST", f"/reconciliations/{found['id']}/apply")
    data = answer.json["data"]
    assert (answer.status_code, data["status"], data["counts"]) == (200, "applied", found["counts"])
    assert [one["error"] for one in data["entries"]] == [
        None,
        "customer_not_named",
        None,
        "currency_mismatch",
        "customer_not_found",
        None,
        "customer_not_enrolled",
    ]
    posted = [one["applied_transaction_id"] for one in data["entries"]]
    ledger = {row["id"]: row for row in call("GET", f"/loyalty-cards/{card}/transactions").json["data"]}
    assert [ledger[row_id]["purchase_reference"] for row_id in posted if row_id] == ["POS-1", "POS-3", "POS-6"]
    assert (ledger[posted[0]]["occurred_at"], ledger[posted[0]]["source"]) == (noon.isoformat(), "api")
    assert data["applied_at"] is not None
    assert call("POST", f"/reconciliations/{found['id']}/apply").json["data"] == data
    assert [name for name, _ in events()].count("loyalty.points_earned") == 3
    books_balance()


def test_a_receipt_that_came_by_itself_meanwhile_is_not_posted_again(
    call: Call, card: int, sell: Callable[..., Any], reconcile: Reconcile, entry: Entry
) -> None:
    found = reconcile([entry(1), entry(2)])
    sold = sell(1)
    sell(2, amount=30)
    first, second = call("POST", f"/reconciliations/{found['id']}/apply").json["data"]["entries"]
    assert (first["applied_transaction_id"], first["error"]) == (sold["id"], None)
    assert (second["applied_transaction_id"], second["error"]) == (None, "duplicate_reference")
    assert call("GET", f"/loyalty-cards/{card}/transactions").json["meta"]["total"] == 2


def test_applying_is_repeated_by_its_key(call: Call, reconcile: Reconcile, entry: Entry) -> None:
    path = f"/reconciliations/{reconcile([entry(1)])['id']}/apply"
    first = call("POST", path, key="k")
    again = call("POST", path, key="k")
    assert (again.json["data"], again.headers["Idempotent-Replayed"]) == (first.json["data"], "true")
    other = f"/reconciliations/{reconcile([entry(2)])['id']}"
    assert call("POST", f"{other}/apply", key="k").json["error"]["reason"] == "idempotency_key_reused"
    assert call("GET", other).json["data"]["status"] == "compared"


def test_who_must_be_asked_for_holds_up_nobody_else(call: Call, reconcile: Reconcile, entry: Entry) -> None:
    found = reconcile([entry(1, customer_email="new@example.com"), entry(2), entry(3)])
    data = call("POST", f"/reconciliations/{found['id']}/apply").json["data"]
    assert [one["applied_transaction_id"] is not None for one in data["entries"]] == [False, True, True]


def test_an_address_is_kept_no_longer_than_it_is_needed(
    call: Call, reconcile: Reconcile, entry: Entry, rows: Callable[[str], Any]
) -> None:
    found = reconcile([entry(1), entry(2, customer_email="new@example.com")])
    kept = "select customer_email from reconciliation_entries where tenant_id = :tenant_id order by position"
    assert [row.customer_email for row in rows(kept)] == [None, "new@example.com"]
    # Customers is away: the one whom only it may know stays open, and applying again goes on.
    data = call("POST", f"/reconciliations/{found['id']}/apply").json["data"]
    assert (data["status"], data["job"]["status"], data["job"]["processed"]) == ("applying", "running", 1)
    assert [row.customer_email for row in rows(kept)] == [None, "new@example.com"]


def test_what_had_to_wait_is_applied_when_asked_again(
    call: Call,
    reconcile: Reconcile,
    entry: Entry,
    noon: datetime,
    knows: Callable[..., int],
    insider: Callable[..., int],
) -> None:
    card = insider(auto_enroll=True, date_issued=(noon - timedelta(days=2)).date().isoformat())
    found = reconcile([entry(1, customer_email="new@example.com")], loyalty_card_id=card)
    path = f"/reconciliations/{found['id']}/apply"
    assert call("POST", path).json["data"]["status"] == "applying"
    knows(2000, "new@example.com")
    data = call("POST", path).json["data"]
    assert (data["status"], data["entries"][0]["customer_id"], data["entries"][0]["error"]) == ("applied", 2000, None)
    assert data["job"] == {
        **data["job"],
        "type": "reconciliation",
        "status": "succeeded",
        "total": 1,
        "processed": 1,
        "succeeded": 1,
        "failed": 0,
    }


def test_a_till_that_was_offline_all_day_is_told_of_each_of_its_receipts(
    call: Call,
    card: int,
    alex: int,
    sell: Callable[..., Any],
    reconcile: Reconcile,
    entry: Entry,
    books_balance: Callable[[], None],
) -> None:
    sold = [sell(number, amount=30 if number < 10 else 24.50) for number in range(120)]
    for row in sold[10:15]:
        assert call("POST", f"/loyalty-cards/{card}/transactions/{row['id']}/reverse").status_code == 201
    found = reconcile([entry(number) for number in range(300)])
    assert found["counts"] == {
        "matched": 105,
        "missing": 180,
        "amount_differs": 10,
        "reversed": 5,
        "not_in_request": 0,
    }
    path = f"/reconciliations/{found['id']}/apply"
    answers = [call("POST", path).json["data"] for _ in range(2)]
    assert [(data["status"], data["job"]["processed"]) for data in answers] == [("applying", 100), ("applied", 180)]
    posted = {one["applied_transaction_id"] for one in answers[1]["entries"]} - {None}
    assert len(posted) == 180
    assert reconcile([entry(number) for number in range(300)])["counts"]["matched"] == 285
    progress = call("GET", f"/loyalty-cards/{card}/transactions?customer_id={alex}&type=earn").json["meta"]["total"]
    assert progress == 300
    books_balance()
