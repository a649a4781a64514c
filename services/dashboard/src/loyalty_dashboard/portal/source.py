"""The merged OpenAPI of the running API, fetched when a page needs it and kept for a while."""

from __future__ import annotations

import json
import threading
import time

import requests

from loyalty_dashboard.portal.documentation import Contracts, Documentation

REFRESH_S = 60.0
_PATIENCE_S = (1.0, 5.0)
_AGAIN_S = 2.0  # While the API is away not every reader waits for it.


class DocumentationAway(Exception):
    """The API was never reached since this process began: there is nothing to show."""


class Source:
    """Documentation of the API at ``api_url``. While it is away, what it said last stands."""

    def __init__(self, api_url: str, contracts: Contracts, *, refresh_s: float = REFRESH_S) -> None:
        self._url = f"{api_url}/openapi.json"
        self._contracts = contracts
        self._refresh_s = refresh_s
        self._asking = threading.Lock()
        self._text = b""
        self._documentation: Documentation | None = None
        self._next_at = 0.0
        self._session = requests.Session()
        self._session.trust_env = False

    def documentation(self) -> Documentation:
        """Raises ``DocumentationAway``. One thread at a time asks; the others take what there is."""
        if time.monotonic() >= self._next_at and self._asking.acquire(blocking=self._documentation is None):
            try:
                if time.monotonic() >= self._next_at:
                    self._ask()
            finally:
                self._asking.release()
        if self._documentation is None:
            raise DocumentationAway
        return self._documentation

    def _ask(self) -> None:
        try:
            answer = self._session.get(self._url, timeout=_PATIENCE_S, allow_redirects=False)
            answer.raise_for_status()
            if answer.content != self._text:
                # Nothing is taken of a document that cannot be shown whole.
                self._documentation = Documentation(json.loads(answer.content), self._contracts)
                self._text = answer.content
            self._next_at = time.monotonic() + self._refresh_s
        except (requests.RequestException, LookupError, TypeError, ValueError):
            self._next_at = time.monotonic() + _AGAIN_S
