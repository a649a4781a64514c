"""A request and its answer on one connection."""

from __future__ import annotations

from collections.abc import Mapping
from http.client import HTTPException, HTTPResponse

from loyalty_webhooks.domain.targets import Target
from loyalty_webhooks.transport.connection import Connection
from loyalty_webhooks.transport.errors import BodyFailed, HeadersFailed, SendFailed

_BODY_BYTES = 16 * 1024
_HEADER_CHARACTERS = 4 * 1024


class ConnectionWasStale(Exception):
    """A kept connection ended before a byte of an answer: the receiver had closed it while it idled."""


class Exchange:
    """A request, and as much of its answer as has come."""

    def __init__(self, target: Target, headers: Mapping[str, str], body: bytes) -> None:
        self.target = target
        self._request = (headers, body)
        self.status_code: int | None = None
        self.headers: dict[str, str] = {}
        self.body: str | None = None
        self.truncated = False

    def run(self, connection: Connection, *, kept: bool) -> bool:
        """Ask and read. Returns whether the connection can serve another request."""
        headers, body = self._request
        try:
            connection.post(self.target.path, headers=headers, body=body)
        except OSError as error:
            raise (ConnectionWasStale if kept else SendFailed) from error
        try:
            response = connection.getresponse()
        except (OSError, HTTPException) as error:
            raise (ConnectionWasStale if kept and isinstance(error, ConnectionError) else HeadersFailed) from error
        with response:
            self.status_code = response.status
            self.headers = _bounded(response)
            self._read_body(response)
            return response.isclosed() and not response.will_close

    def _read_body(self, response: HTTPResponse) -> None:
        try:
            raw = response.read(_BODY_BYTES + 1)
        except (OSError, HTTPException) as error:
            raise BodyFailed from error
        self.body = readable(raw[:_BODY_BYTES])
        self.truncated = len(raw) > _BODY_BYTES
        if not self.truncated and response.length:
            raise BodyFailed


def readable(raw: bytes) -> str:
    """Text that PostgreSQL can store: U+FFFD for what is not UTF-8, U+2400 for NUL."""
    return raw.decode("utf-8", "replace").replace("\0", "␀")


def _bounded(response: HTTPResponse) -> dict[str, str]:
    """The answer's headers in lower case, the first 4,096 characters of them."""
    kept: dict[str, str] = {}
    room = _HEADER_CHARACTERS
    for name, value in response.getheaders():
        room -= len(name) + len(value)
        if room < 0:
            break
        kept[_readable_header(name.lower())] = _readable_header(value)
    return kept


def _readable_header(text: str) -> str:
    # http.client reads headers as Latin-1, where every byte is a character; most who go beyond ASCII mean UTF-8.
    return readable(text.encode("latin-1", "replace"))
