"""Purchases of one merchant, as many as a suite takes, for ``make footprint``. Standard library only."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

_TILLS = 8
_MEMBERS = 40


class Shop:
    """A points card of the demo organization, and members who have joined it. ``demo`` are its variables."""

    def __init__(self, demo: Mapping[str, str]) -> None:
        self._url = urlsplit(demo["LOYALTY_URL"])
        self._key = demo["LOYALTY_API_KEY"]
        location = int(demo["LOYALTY_PARTNER_LOCATION_ID"])
        with _Till(self._url.netloc, self._key) as till:
            self._members = [
                till.post(f"{self._url.path}/customers", {"email": f"workload{number}@example.com"})
                for number in range(_MEMBERS)
            ]
            card = {"name": "Workload", "partner_location_id": location, "auto_enroll": True}
            self._card = till.post(f"{self._url.path}/loyalty-cards", card)

    def sell(self, purchases: int) -> None:
        """So many, each credited once it returns."""
        with ThreadPoolExecutor(_TILLS) as tills:
            list(tills.map(self._work, [range(first, purchases, _TILLS) for first in range(_TILLS)]))

    def _work(self, numbers: Sequence[int]) -> None:
        path = f"{self._url.path}/loyalty-cards/{self._card}/transactions"
        with _Till(self._url.netloc, self._key) as till:
            for number in numbers:
                till.post(path, {"customer_id": self._members[number % _MEMBERS], "points": 1})


class _Till:
    """One connection that is kept."""

    def __init__(self, address: str, key: str) -> None:
        self._connection = http.client.HTTPConnection(address, timeout=60)
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def __enter__(self) -> _Till:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def post(self, path: str, body: Mapping[str, Any]) -> int:
        self._connection.request("POST", path, json.dumps(body), self._headers)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status not in (http.client.OK, http.client.CREATED):
            raise RuntimeError(f"POST {path}: {answer.status} {text[:300]!r}")
        created: int = json.loads(text)["data"]["id"]
        return created
