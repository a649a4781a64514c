"""Long reconciliations are applied by a process of their own, which may die at any moment."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from loyalty_programs.jobs.reconciliations import forget_addresses
from loyalty_programs.settings import Settings
from loyalty_testing.keys import IdentityKeys

Call = Callable[..., Any]
Rows = Callable[[str], list[Any]]
MISSING = 600
POSTED = "select 1 from points_transactions where tenant_id = :tenant_id"
KILLS = 4


@pytest.fixture
def start_worker(settings: Settings, identity_keys: IdentityKeys) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": settings.database_url,
        "PUBLIC_BASE_URL": settings.public_base_url,
        "EVENTS_URL": settings.events_url,
        "CUSTOMERS_URL": settings.customers_url,
        "GATEWAY_INTERNAL_URL": settings.gateway_internal_url,
        "IDENTITY_PUBLIC_KEYS": identity_keys.public_keys_json,
        "IDENTITY_PRIVATE_KEY": settings.identity_private_key,
    }
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "loyalty_programs", "work"]
        started.append(subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


@pytest.fixture
def path(call: Call, knows: Callable[..., int], insider: Callable[..., int]) -> str:
    """A reconciliation of 600 receipts of thirty customers, none of which the ledger has."""
    now = datetime.now(UTC)
    card = insider(initial_bonus_points=0, auto_enroll=True, date_issued=(now - timedelta(days=2)).date().isoformat())
    for customer in range(2000, 2030):
        knows(customer, f"c{customer}@example.com")
    entries = [
        {"reference": f"POS-{n}", "amount": 10, "currency": "USD", "customer_email": f"c{2000 + n % 30}@example.com"}
        for n in range(MISSING)
    ]
    window = {"from": (now - timedelta(hours=9)).isoformat(), "to": now.isoformat()}
    answer = call("POST", "/reconciliations", {"loyalty_card_id": card, **window, "entries": entries})
    assert answer.json["data"]["counts"]["missing"] == MISSING
    return f"/reconciliations/{answer.json['data']['id']}"


def wait_until(condition: Callable[[], bool], *, patience_s: float = 90) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, "the worker did not get there"
        time.sleep(0.02)


def check_applied(call: Call, path: str, rows: Rows, books_balance: Callable[[], None]) -> None:
    data = call("GET", path).json["data"]
    assert (data["job"]["succeeded"], data["job"]["failed"]) == (MISSING, 0)
    ledger = rows("select id, reference from points_transactions where tenant_id = :tenant_id")
    assert sorted(row.reference for row in ledger) == sorted(f"POS-{n}" for n in range(MISSING))
    assert {one["applied_transaction_id"] for one in data["entries"]} == {row.id for row in ledger}
    books_balance()


def test_a_worker_that_is_killed_in_the_middle_posts_every_receipt_once(
    call: Call,
    path: str,
    rows: Rows,
    start_worker: Callable[[], subprocess.Popen[bytes]],
    books_balance: Callable[[], None],
) -> None:
    data = call("POST", f"{path}/apply").json["data"]
    assert (data["status"], data["job"]["processed"]) == ("applying", 100)
    for kill in range(1, KILLS + 1):
        worker = start_worker()
        wait_until(lambda reached=100 + kill * 60: len(rows(POSTED)) >= reached)  # type: ignore[misc]
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    assert len(rows(POSTED)) < MISSING, "all was over before the last kill"
    last = start_worker()
    wait_until(lambda: bool(call("GET", path).json["data"]["status"] == "applied"))
    check_applied(call, path, rows, books_balance)
    last.send_signal(signal.SIGTERM)
    assert last.wait(timeout=30) == 0


def test_tills_and_workers_that_apply_at_once_post_every_receipt_once(
    call: Call,
    path: str,
    rows: Rows,
    start_worker: Callable[[], subprocess.Popen[bytes]],
    books_balance: Callable[[], None],
) -> None:
    for _ in range(2):
        start_worker()
    with ThreadPoolExecutor(6) as tills:
        answers = list(tills.map(lambda _: call("POST", f"{path}/apply"), range(6)))
    assert {answer.status_code for answer in answers} == {200}
    wait_until(lambda: bool(call("GET", path).json["data"]["status"] == "applied"))
    check_applied(call, path, rows, books_balance)


def test_addresses_of_people_nobody_knew_go_after_thirty_days(
    call: Call, path: str, knows: Callable[..., int], engine: Engine, tenant_id: int, rows: Rows
) -> None:
    knows(2100, "later@example.com")
    now = datetime.now(UTC)
    entries = [{"reference": "POS-1", "amount": 10, "currency": "USD", "customer_email": "nobody@example.com"}]
    entries.append({**entries[0], "reference": "POS-2", "customer_id": 2100, "customer_email": "new@example.com"})
    card = call("GET", path).json["data"]["loyalty_card_id"]
    window = {"from": (now - timedelta(hours=9)).isoformat(), "to": now.isoformat()}
    old = call("POST", "/reconciliations", {"loyalty_card_id": card, **window, "entries": entries}).json["data"]["id"]
    kept = "select customer_email as email, error from reconciliation_entries where tenant_id = :tenant_id"
    kept += f" and reconciliation_id = {old} order by position"
    forget_addresses(engine)
    assert [row.email for row in rows(kept)] == ["nobody@example.com", "new@example.com"]
    with engine.begin() as connection:
        older = "update reconciliation_entries set created_at = now() - interval '31 days' where tenant_id = %s"
        connection.exec_driver_sql(older, (tenant_id,))
    assert forget_addresses(engine) == 2
    assert [tuple(row) for row in rows(kept)] == [(None, "customer_not_named"), (None, None)]
