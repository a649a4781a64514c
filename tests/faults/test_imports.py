"""kill -9 of workers and of programs in the middle of an import: each customer once, each balance once."""

from __future__ import annotations

import csv
import io
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

pytestmark = pytest.mark.faults

PEOPLE = 3_000
KILLS = 25

OPENED = """
    select e.customer_id, e.points_balance, count(t.id), sum(t.points_delta), min(t.source), min(t.reference)
    from enrollments e left join points_transactions t on t.tenant_id = e.tenant_id and t.enrollment_id = e.id
    where e.loyalty_card_id = %s group by e.customer_id, e.points_balance
"""


@pytest.fixture
def fragile_suite(start_suite: Callable[..., Any]) -> Iterator[Any]:
    suite = start_suite()
    yield suite
    suite.stop()


@contextmanager
def second_worker(suite: Any) -> Iterator[Callable[[], None]]:
    """Beside the suite's own; what it yields kills it and starts another."""
    command = suite.layout.command("customers", "work")
    running: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        running.append(
            subprocess.Popen(
                command.arguments, env=dict(command.environment), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        )

    def kill() -> None:
        running[-1].send_signal(signal.SIGKILL)
        running.pop().wait()
        start()

    start()
    try:
        yield kill
    finally:
        running[-1].kill()
        running[-1].wait()


def kill_when_booked(suite: Any, *kill_workers: Callable[[], None]) -> Callable[[], None]:
    """Kills the workers when programs has just committed balances that nobody has written down yet."""

    def booked(programs: Any) -> Any:
        return programs.execute("select count(*) from points_transactions").fetchone()

    def kill() -> None:
        with psycopg.connect(suite.layout.database_urls["programs"], autocommit=True) as programs:
            before, patience = booked(programs), time.monotonic() + 2
            while booked(programs) == before and time.monotonic() < patience:
                time.sleep(0.001)
        for kill_worker in kill_workers:
            kill_worker()

    return kill


@contextmanager
def killing(*victims: Callable[[], None]) -> Iterator[list[int]]:
    """Kills one after the other at random moments until the block ends; how often is in the list."""
    killed: list[int] = []
    over = threading.Event()

    def kill() -> None:
        while len(killed) < KILLS and not over.wait(random.uniform(0.05, 0.6)):
            random.choice(victims)()
            killed.append(1)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield killed
    finally:
        over.set()
        killer.join()


def sheet(card_id: int) -> str:
    """Everybody with a balance, every tenth twice, and rows that fail at either service."""
    rows = ["email,name,loyalty_card_id,points"]
    for number in range(PEOPLE):
        rows.append(f"member{number}@example.com,Member {number},{card_id},{number + 1}")
        if number % 10 == 0:
            rows.append(f"MEMBER{number}@example.com,Somebody Else,,")
        if number % 100 == 0:
            rows += [f"nobody{number},,,", f"stray{number}@example.com,,999999,7"]
    return "\n".join(rows)


def wait_for(api: Any, import_id: int) -> Any:
    deadline = time.monotonic() + 240
    while True:
        response = api.call("GET", f"/imports/{import_id}")
        found = response.json()["data"] if response.status_code == 200 else None
        if found and found["job"]["finished_at"]:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def test_an_import_survives_the_death_of_its_workers_and_of_programs(fragile_suite: Any, found_merchant: Any) -> None:
    suite, merchant = fragile_suite, found_merchant(fragile_suite)
    card = {"name": "Insider Points", "partner_location_id": merchant.partner_location_id, "initial_bonus_points": 50}
    card_id = merchant.api.data("POST", "/loyalty-cards", card)["id"]
    kill_first, kill_programs = (suite.processes[name].kill for name in ("customers-work", "programs-serve"))
    with (
        second_worker(suite) as kill_second,
        killing(
            kill_first, kill_second, kill_programs, *[kill_when_booked(suite, kill_second, kill_first)] * 3
        ) as killed,
    ):
        headers = {"Content-Type": "text/csv"}
        sent = merchant.api.data("POST", "/imports?type=customers", data=sheet(card_id), headers=headers)
        done = wait_for(merchant.api, sent["id"])
    assert len(killed) > 3
    strays, doubles = PEOPLE // 100, PEOPLE // 10
    assert (done["created_count"], done["existing_count"]) == (PEOPLE + strays, doubles)
    job = {"status": "succeeded", "total": PEOPLE + doubles + 2 * strays, "failed": 2 * strays, "error": None}
    assert done["job"] | job | {"processed": job["total"], "succeeded": PEOPLE + doubles} == done["job"]
    check_errors(merchant.api, sent["id"])
    check_books(suite, card_id, import_id=sent["id"])


def check_errors(api: Any, import_id: int) -> None:
    text = api.call("GET", f"/imports/{import_id}/errors.csv").text
    found = list(csv.DictReader(io.StringIO(text, newline="")))
    assert sorted(row["email"] for row in found) == sorted(
        name for number in range(0, PEOPLE, 100) for name in (f"nobody{number}", f"stray{number}@example.com")
    )
    fields = {"nobody": "email", "stray": "loyalty_card_id"}
    assert all(row["field"] == fields[row["email"].partition("@")[0].rstrip("0123456789")] for row in found)


def check_books(suite: Any, card_id: int, *, import_id: int) -> None:
    with psycopg.connect(suite.layout.database_urls["programs"]) as programs:
        opened = programs.execute(OPENED, [card_id]).fetchall()
    assert sorted(balance for _, balance, *_ in opened) == list(range(1, PEOPLE + 1))
    assert all(
        (count, total, source) == (1, balance, "import") and reference.startswith(f"import:{import_id}:row:")
        for _, balance, count, total, source, reference in opened
    )
    with psycopg.connect(suite.layout.database_urls["customers"]) as customers:
        emails = [row[0] for row in customers.execute("select email from customers")]
        left = customers.execute("select count(*) from import_rows where failed_at is null").fetchone()
    assert len(emails) == len(set(emails)) == PEOPLE + PEOPLE // 100
    assert left == (0,)
