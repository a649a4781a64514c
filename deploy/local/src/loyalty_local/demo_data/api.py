"""The public API as the one who makes the data uses it: every write names itself, so that none is done twice."""

from __future__ import annotations

import http.client
import json
from threading import Event
from typing import Any
from urllib.parse import urlsplit

_TIMEOUT_S = 30
_PAUSE_S = 0.5


class Stopped(Exception):
    """Whoever waits for the data does so no more."""


class Refused(Exception):
    """The API says no, for good; the text is what it says."""


class Api:
    """Repeats what was not answered, or with a 429 or 5xx, until ``stop`` is set. For one thread."""

    def __init__(self, base_url: str, api_key: str, *, stop: Event) -> None:
        address = urlsplit(base_url)
        self._path = address.path
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self._stop = stop
        self._connection = http.client.HTTPConnection(address.netloc, timeout=_TIMEOUT_S)

    def post(self, path: str, body: dict[str, Any], *, once: str) -> Any:
        """``data`` of the answer. ``once`` names the write: with the same name again, the first answer comes."""
        return self._ask("POST", path, json.dumps(body), {"Idempotency-Key": once, "Content-Type": "application/json"})

    def upload(self, path: str, csv: str, *, once: str) -> Any:
        return self._ask("POST", path, csv, {"Idempotency-Key": once, "Content-Type": "text/csv"})

    def get(self, path: str) -> Any:
        return self._ask("GET", path, None, {})

    def pause(self) -> None:
        if self._stop.wait(_PAUSE_S):
            raise Stopped

    def _ask(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Any:
        encoded = None if body is None else body.encode()
        while True:
            if self._stop.is_set():
                raise Stopped
            try:
                self._connection.request(method, self._path + path, encoded, {**self._headers, **headers})
                response = self._connection.getresponse()
                status, text = response.status, response.read().decode()
            except (OSError, http.client.HTTPException):
                self._connection.close()
                self.pause()
                continue
            if status < http.client.BAD_REQUEST:
                return json.loads(text)["data"]
            if status < http.client.INTERNAL_SERVER_ERROR and status != http.client.TOO_MANY_REQUESTS:
                raise Refused(f"{method} {path}: {status} {text}")
            self.pause()
