"""A service behind one or several base URLs, over connections that are kept."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog

from loyalty_common.errors import BadGateway, GatewayTimeout, Unavailable
from loyalty_gateway.api.headers import Headers

_log = structlog.get_logger()
_CONNECT_TIMEOUT_S = 0.5
# Shorter than the services' own keep-alive of 75 s: whoever closes first must be us.
_IDLE_S = 30.0
_IDLE_CONNECTIONS = 256
_REST_S = 1.0
_PIECE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    path: str
    headers: Headers
    body: bytes | None
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Reply:
    """``body`` is whole where it is small, else it streams; ``length`` is ``None`` where only the end will tell."""

    status: int
    headers: Sequence[tuple[str, str]]
    length: int | None
    body: bytes | Streamed


class Unreachable(OSError):
    """No connection within half a second."""


class Origin:
    """One base URL with its idle connections; the last one used is the first to be used again."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._idle: list[tuple[float, http.client.HTTPConnection]] = []
        self.rests_until = 0.0

    def borrow(self, *, fresh: bool) -> http.client.HTTPConnection:
        if fresh:
            self._drop_idle()
        while self._idle:
            since, connection = self._idle.pop()
            if time.monotonic() - since < _IDLE_S:
                return connection
            connection.close()
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_CONNECT_TIMEOUT_S)
        try:
            connection.connect()
        except OSError as error:
            self.rests_until = time.monotonic() + _REST_S
            raise Unreachable(str(error)) from error
        return connection

    def give_back(self, connection: http.client.HTTPConnection) -> None:
        if connection.sock is None or len(self._idle) >= _IDLE_CONNECTIONS:
            connection.close()
        else:
            self._idle.append((time.monotonic(), connection))

    def _drop_idle(self) -> None:
        """After one connection broke: the process behind the others is probably gone too."""
        while self._idle:
            self._idle.pop()[1].close()


class Streamed:
    """The rest of an answer, piece by piece as it comes in; its connection is kept only if it was read to the end."""

    def __init__(self, origin: Origin, connection: http.client.HTTPConnection, response: http.client.HTTPResponse):
        self._origin, self._connection, self._response = origin, connection, response

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._response.read1(_PIECE_BYTES):
            yield piece

    def close(self) -> None:
        if self._response.isclosed():
            self._origin.give_back(self._connection)
        else:
            self._connection.close()


class Upstream:
    """Takes turns between the origins of a service and leaves out for a second those that did not answer."""

    def __init__(self, service: str, urls: Sequence[str]) -> None:
        self._service = service
        self._origins = [Origin(url) for url in urls]
        self._turn = 0

    def send(self, call: Call) -> Reply:
        """The service's answer. After a broken connection tried once more, on a new one: the call's key makes it one.

        Raises ``Unavailable`` if no origin can be reached, ``BadGateway`` if what comes back is no answer,
        ``GatewayTimeout``, after which nothing is repeated: the service may still be at it.
        """
        try:
            return self._try(call, fresh=False)
        except (OSError, http.client.HTTPException) as error:
            _log.warning("upstream_retry", upstream=self._service, error=repr(error))
        try:
            return self._try(call, fresh=True)
        except Unreachable as error:
            _log.warning("upstream_unreachable", upstream=self._service, error=repr(error))
            raise Unavailable from error
        except (OSError, http.client.HTTPException) as error:
            _log.warning("upstream_broken", upstream=self._service, error=repr(error))
            raise BadGateway from error

    def _try(self, call: Call, *, fresh: bool) -> Reply:
        origin = self._next_origin()
        connection = origin.borrow(fresh=fresh)
        try:
            connection.sock.settimeout(call.timeout_s)
            return _exchange(origin, connection, call)
        except TimeoutError as error:
            connection.close()
            _log.warning("upstream_timeout", upstream=self._service, timeout_s=call.timeout_s)
            raise GatewayTimeout from error
        except BaseException:
            connection.close()
            raise

    def _next_origin(self) -> Origin:
        now = time.monotonic()
        for _ in self._origins:
            self._turn = (self._turn + 1) % len(self._origins)
            if self._origins[self._turn].rests_until <= now:
                break
        return self._origins[self._turn]


def _exchange(origin: Origin, connection: http.client.HTTPConnection, call: Call) -> Reply:
    connection.putrequest(call.method, call.path, skip_accept_encoding=True)
    for name, value in call.headers:
        connection.putheader(name, value)
    connection.endheaders(call.body)
    response = connection.getresponse()
    if 300 <= response.status < 400 or response.status == 401:
        # No service redirects, and none may refuse us: both mean that something here is set up wrongly.
        _log.error("upstream_senseless", status=response.status, path=call.path)
        raise BadGateway
    length = response.length
    headers = list(response.msg.raw_items())
    if length is None or length > _PIECE_BYTES:
        return Reply(response.status, headers, length, Streamed(origin, connection, response))
    body = response.read()
    origin.give_back(connection)
    return Reply(response.status, headers, length, body)
