"""A merchant's backend: knows one URL and one key, and retries as the reference tells it to."""

from __future__ import annotations

import random
import time
import uuid
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from loyalty_testing import calls


class Integrator:
    """``call`` is one request; ``insist`` repeats it with its Idempotency-Key until it is answered for good."""

    def __init__(self, base_url: str, api_key: str) -> None:
        self.base_url = base_url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.mount("http://", HTTPAdapter(pool_maxsize=64))
        self._session.headers["Authorization"] = f"Bearer {api_key}"

    def call(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, timeout_s: float = 30, **options: Any
    ) -> requests.Response:
        headers = {**options.pop("headers", {}), **({"Idempotency-Key": key} if key else {})}
        if body is not None:
            options["json"] = body
        url = f"{self.base_url}{path}"
        response = self._session.request(
            method, url, headers=headers, timeout=timeout_s, allow_redirects=False, **options
        )
        calls.note(method, path, status=response.status_code)
        return response

    def data(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """``data`` of a successful answer; anything else is an AssertionError that shows the answer."""
        response = self.call(method, path, body, **options)
        assert response.status_code in (200, 201), f"{method} {path}: {response.status_code} {response.text}"
        return response.json()["data"]

    def insist(self, path: str, body: Any, *, key: str | None = None, patience_s: float = 90) -> requests.Response:
        """POST until an answer below 500 that is no 429 came; the same key every time."""
        key = key or str(uuid.uuid4())
        deadline = time.monotonic() + patience_s
        while True:
            try:
                response = self.call("POST", path, body, key=key, timeout_s=15)
                if response.status_code < 500 and response.status_code != 429:
                    return response
                failure: object = f"{response.status_code} {response.text}"
            except requests.RequestException as error:
                failure = error
            if time.monotonic() > deadline:
                raise TimeoutError(f"POST {path} was never answered; last: {failure}")
            time.sleep(random.uniform(0.05, 0.4))  # noqa: S311 (jitter, not a secret)
