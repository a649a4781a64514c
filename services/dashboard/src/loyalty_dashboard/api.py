"""The public Partner API, as this service calls it: with the session of the person in front of the browser.

    answer = caller.send("POST", "/api-keys", {"name": "Till 1"}, key=…)
    answer.data, answer.meta

What the API refuses is an ``ApiError``, which knows the sentences for each field of a form.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import orjson
import urllib3
from urllib3.util import Retry, Timeout

_TIMEOUT = Timeout(connect=2, read=30)
# A connection that the gateway closed meanwhile is found out when it is used. Every write carries an Idempotency-Key,
# so it may be sent again too.
_RETRIES = Retry(total=1, allowed_methods=None, status=0, redirect=False, respect_retry_after_header=False)
_UPLOAD_READ_S = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """``data`` of a success, with what stands around it. ``next_cursor`` is None where a list ends."""

    data: Any
    meta: Mapping[str, Any] = field(default_factory=dict)
    links: Mapping[str, Any] = field(default_factory=dict)
    is_replay: bool = False

    @property
    def next_cursor(self) -> str | None:
        following = self.links.get("next")
        return parse_qs(urlsplit(following).query).get("cursor", [None])[0] if following else None


class ApiError(Exception):
    """The API refused, or did not answer (then ``status`` is 503).

    ``details``: sentences by field, with a dotted path for nested ones. ``reason``: of the API's closed list, or None.
    """

    def __init__(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        error = body.get("error") or {}
        self.status = status
        self.message: str = error.get("message") or ""
        self.reason: str | None = error.get("reason")
        self.details: Mapping[str, list[str]] = error.get("details") or {}
        self.retry_after: str | None = headers.get("Retry-After")
        self.request_id: str | None = (body.get("meta") or {}).get("request_id")
        super().__init__(f"{status} {self.reason or ''} {self.message}")


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls for one person; safe to use from several threads at once.

    ``headers``: in whose name, from which address, within which request.
    """

    api: Api
    headers: Mapping[str, str]

    def get(self, path: str, **query: Any) -> Answer:
        return self.api.send("GET", path, headers=self.headers, query=query)

    def send(self, method: str, path: str, body: Any = None, *, key: str | None = None, **query: Any) -> Answer:
        """A write. ``key`` makes a form that is sent twice one write."""
        headers = {**self.headers, "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        return self.api.send(method, path, headers=headers, query=query, body=orjson.dumps(body or {}))

    def upload(self, path: str, file: IO[bytes], *, content_type: str, key: str | None = None, **query: Any) -> Answer:
        """The file is passed on while it is read."""
        headers = {**self.headers, "Content-Type": content_type, **({"Idempotency-Key": key} if key else {})}
        return self.api.send("POST", path, headers=headers, query=query, body=file, timeout_s=_UPLOAD_READ_S)

    def download(self, path: str, **query: Any) -> Download:
        """A file, passed on while it comes. Whoever asks for it reads or closes it."""
        response = self.api.ask("GET", path, headers=self.headers, query=query, preload_content=False)
        if response.status != 200:
            response.read()
            raise _refusal(response)
        return Download(response)


class Download(Iterable[bytes]):
    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response
        self.headers = {
            name: response.headers[name] for name in ("Content-Type", "Content-Disposition") if name in response.headers
        }

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._response.stream(64 * 1024)
        finally:
            self.close()

    def close(self) -> None:
        self._response.release_conn()


class Api:
    """Keeps ``connections`` open. ``url`` ends in ``/api/v1``."""

    def __init__(self, url: str, *, connections: int) -> None:
        self._path = urlsplit(url).path
        self._pool = urllib3.connection_from_url(
            url, maxsize=connections, timeout=_TIMEOUT, retries=_RETRIES, headers={"Accept": "application/json"}
        )

    def check(self) -> None:
        """Raises where it does not answer."""
        if self._pool.request("GET", "/livez", retries=False, timeout=Timeout(2)).status != 200:
            raise OSError("the API does not live")

    def send(self, method: str, path: str, **options: Any) -> Answer:
        response = self.ask(method, path, **options)
        if response.status >= 300:
            raise _refusal(response)
        answer = orjson.loads(response.data)
        return Answer(
            answer.get("data"),
            answer.get("meta") or {},
            answer.get("links") or {},
            is_replay=response.headers.get("Idempotent-Replayed") == "true",
        )

    def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        timeout_s: float | None = None,
        preload_content: bool = True,
    ) -> urllib3.BaseHTTPResponse:
        wanted = {name: value for name, value in (query or {}).items() if value is not None}
        target = f"{self._path}{path}" + (f"?{urlencode(wanted, doseq=True)}" if wanted else "")
        try:
            return self._pool.request(
                method,
                target,
                headers={"Accept": "application/json", **headers},
                body=body,
                timeout=Timeout(connect=2, read=timeout_s) if timeout_s else _TIMEOUT,
                preload_content=preload_content,
            )
        except urllib3.exceptions.HTTPError as error:
            raise ApiError(503, {}, {}) from error


def _refusal(response: urllib3.BaseHTTPResponse) -> ApiError:
    try:
        body = orjson.loads(response.data)
    except ValueError:
        body = None
    return ApiError(response.status, body if isinstance(body, dict) else {}, response.headers)
