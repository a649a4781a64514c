"""Tills that credit purchases until they are told to stop."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

TILLS = 8
MEMBERS = 40

Credit = Callable[[str, dict[str, Any]], Any]


class Tills:
    """``answers`` by the reference of the purchase; an exception where there was none."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self._numbers = itertools.count()
        self._over = threading.Event()

    def work(self, credit: Credit, path: str) -> None:
        while not self._over.is_set():
            sent = purchase(next(self._numbers))
            try:
                self.answers[sent["reference"]] = credit(path, sent).status_code
            except Exception as error:
                self.answers[sent["reference"]] = error

    def close(self) -> None:
        self._over.set()

    @property
    def failed(self) -> dict[str, Any]:
        return {reference: answer for reference, answer in self.answers.items() if answer != 201}


def purchase(number: int) -> dict[str, Any]:
    return {"customer_email": f"member{number % MEMBERS}@example.com", "reference": f"POS-{number}", "points": 1}


@contextmanager
def crediting(credit: Credit, card_id: int) -> Iterator[Tills]:
    """Credits one point at a time, of ``MEMBERS`` in turn, until the block ends; then every purchase is answered."""
    tills = Tills()
    with ThreadPoolExecutor(TILLS) as pool:
        path = f"/loyalty-cards/{card_id}/transactions"
        working: list[Future[None]] = [pool.submit(tills.work, credit, path) for _ in range(TILLS)]
        try:
            yield tills
        finally:
            tills.close()
    for one in working:
        one.result()


def open_card(merchant: Any) -> int:
    """A points card that all members have joined."""
    card = {
        "name": "Insider Points",
        "partner_location_id": merchant.partner_location_id,
        "earn_spend_amount": 10,
        "earn_points": 1,
        "earn_currency": "USD",
        "auto_enroll": True,
    }
    card_id: int = merchant.patient.data("POST", "/loyalty-cards", card)["id"]
    for number in range(MEMBERS):
        merchant.patient.data("POST", "/customers", {"email": f"member{number}@example.com"})
    return card_id
