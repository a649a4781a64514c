"""The drill: all databases are dumped under load and restored elsewhere, and tills that repeat everything there credit
nothing twice."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from loyalty_local.backups import BackupFailed, back_up, restore
from loyalty_local.suite import Suite
from loyalty_testing.integrator import Integrator
from tests.faults.restored import server_in, still, suite_of

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

TILLS, BEFORE, AFTER = 2, 60, 30
PACE_S = 0.05  # so that a long backup does not mean thousands of requests to be repeated


@dataclass
class Tills:
    """Each sale is of a new customer and an old one in turn; ``sent`` has each request, with its Idempotency-Key."""

    card_id: int
    sent: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def sell(self, api: Integrator) -> None:
        while not self.over.wait(PACE_S):
            number = next(self._numbers)
            customer_id = self.post(api, "/customers", {"email": f"member{number}@example.com"}, f"customer-{number}")
            for reference in (f"POS-{number}-a", f"POS-{number}-b"):
                purchase = {"customer_id": customer_id, "points": 1, "reference": reference}
                self.post(api, f"/loyalty-cards/{self.card_id}/transactions", purchase, reference)

    def post(self, api: Integrator, path: str, body: dict[str, Any], key: str) -> int:
        self.sent.append((path, body, key))
        answer = api.insist(path, body, key=key)
        assert answer.status_code == 201, answer.text
        self.answers[key] = answer.json()["data"]
        created: int = self.answers[key]["id"]
        return created

    def wait_for(self, answers: int) -> None:
        deadline = time.monotonic() + 90
        while len(self.answers) < answers:
            assert time.monotonic() < deadline
            time.sleep(0.02)


@contextmanager
def selling(api: Integrator, card_id: int) -> Iterator[Tills]:
    tills = Tills(card_id)
    with ThreadPoolExecutor(TILLS) as pool:
        working = [pool.submit(tills.sell, api) for _ in range(TILLS)]
        try:
            yield tills
        finally:
            tills.over.set()
    for one in working:
        one.result()


class Books:
    """What the services of a suite know of one tenant's card."""

    def __init__(self, suite: Suite, card_id: int) -> None:
        self._urls, self._card_id = suite.layout.database_urls, card_id

    def ask(self, service: str, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._urls[service]) as database:
            return database.execute(query.replace(":card", str(self._card_id))).fetchall()

    def references(self) -> list[str]:
        """Of the ledger, each as often as it stands there."""
        rows = self.ask("programs", "select reference from points_transactions where loyalty_card_id = :card")
        return sorted(row[0] for row in rows)

    def told(self) -> list[str]:
        """Of the event log."""
        events = "select payload from webhook_events where event = 'loyalty.points_earned'"
        told = (json.loads(row[0])["data"] for row in self.ask("webhooks", events))
        return sorted(one["purchase_reference"] for one in told if one["loyalty_card_id"] == self._card_id)

    def strangers(self) -> set[int]:
        """Whom programs knows, and their owner does not."""
        known = self.ask("programs", "select customer_id from enrollments where loyalty_card_id = :card")
        return {row[0] for row in known} - {row[0] for row in self.ask("customers", "select id from customers")}


def faults_of(suite: Suite) -> Any:
    return json.loads(suite.run("programs", "check-ledger"))["faults"]


def test_a_backup_under_load_is_restored_elsewhere_and_tills_that_repeat_everything_credit_nothing_twice(
    suite: Suite, merchant: Any, tmp_path: Path
) -> None:
    card = {"name": "Insider Points", "partner_location_id": merchant.partner_location_id, "auto_enroll": True}
    card_id = merchant.api.data("POST", "/loyalty-cards", card)["id"]
    with selling(merchant.api, card_id) as tills:
        tills.wait_for(BEFORE)
        back_up(server_in(suite.directory), tmp_path / "backup", stillness=still(suite))
        tills.wait_for(len(tills.answers) + AFTER)
    sold = sorted(key for path, _, key in tills.sent if path != "/customers")

    with suite_of(tmp_path / "backup", suite.directory / "keys.json", directory=tmp_path / "elsewhere") as restored:
        books = Books(restored, card_id)
        kept = books.references()
        assert faults_of(restored) == []
        assert 0 < len(kept) < len(sold)
        assert set(books.told()) <= set(kept), "an event of what never happened"
        assert books.strangers() == set()

        repeat(tills, Integrator(restored.base_url, merchant.live_key), kept)

        assert books.references() == sold
        assert books.strangers() == set()
        assert faults_of(restored) == []
        wait_until_told(books, sold)


def repeat(tills: Tills, api: Integrator, kept: list[str]) -> None:
    """What is in the backup is answered as before; what is not is done again, under ids that nobody was given."""
    given = {answer["id"] for key, answer in tills.answers.items() if key.startswith("POS")}
    customer_ids: dict[int, int] = {}

    def send(request: tuple[str, dict[str, Any], str]) -> None:
        path, body, key = request
        if "customer_id" in body:
            body = body | {"customer_id": customer_ids[body["customer_id"]]}
        answer = api.insist(path, body, key=key)
        assert answer.status_code == 201, answer.text
        if path == "/customers":
            customer_ids[tills.answers[key]["id"]] = answer.json()["data"]["id"]
        elif key in kept:
            assert answer.json()["data"] == tills.answers[key]
        else:
            assert answer.json()["data"]["id"] not in given

    joins = [request for request in tills.sent if request[0] == "/customers"]
    purchases = [request for request in tills.sent if request[0] != "/customers"]
    with ThreadPoolExecutor(2 * TILLS) as pool:
        list(pool.map(send, joins))
        list(pool.map(send, purchases))


def wait_until_told(books: Books, sold: list[str]) -> None:
    """Each purchase once, those too whose event waited in the outbox when the backup was made."""
    deadline = time.monotonic() + 60
    while (told := books.told()) != sold:
        assert len(told) <= len(sold)
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_backup_that_is_not_whole_changes_nothing(suite: Suite, tmp_path: Path) -> None:
    server = server_in(suite.directory)
    back_up(server, tmp_path / "backup", stillness=nullcontext())
    dump = tmp_path / "backup/programs.dump"
    dump.write_bytes(dump.read_bytes()[:-1])
    with pytest.raises(BackupFailed, match=r"programs\.dump is not what was written"):
        restore(server, tmp_path / "backup")
    (tmp_path / "backup/manifest.json").unlink()
    with pytest.raises(BackupFailed, match="no complete backup"):
        restore(server, tmp_path / "backup")
    with pytest.raises(BackupFailed, match="is not empty"):
        back_up(server, tmp_path / "backup", stillness=nullcontext())
