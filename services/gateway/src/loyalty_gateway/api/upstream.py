"""A service behind one or several base URLs, over connections that are kept."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog

from loyalty_common.errors import BadGateway, GatewayTimeout, Unavailable
from loyalty_gateway.api.exchange import Answer, Call, Header, exchange

_log = structlog.get_logger()
_CONNECT_TIMEOUT_S = 0.5
# Shorter than the services' own keep-alive of 75 s: whoever closes first must be us.
_IDLE_S = 30.0
_IDLE_CONNECTIONS = 256
_REST_S = 1.0
_PIECE_BYTES = 64 * 1024
_BROKEN = (OSError, http.client.HTTPException)


@dataclass(frozen=True, slots=True)
class Reply:
    """``body`` is whole where it is small, else it streams; ``length`` is ``None`` where only the end will tell."""

    status: int
    headers: Sequence[Header]
    length: int | None
    body: bytes | Streamed


class Unreachable(OSError):
    """No connection within half a second."""


class Origin:
    """One base URL with its idle connections; the last one used is the first to be used again."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host = parts.netloc
        self._address = (parts.hostname or "", parts.port or 80)
        self._idle: list[tuple[float, socket.socket]] = []
        self.rests_until = 0.0

    def borrow(self, *, fresh: bool) -> socket.socket:
        while self._idle and not fresh:
            since, sock = self._idle.pop()
            if time.monotonic() - since < _IDLE_S:
                return sock
            sock.close()
        try:
            sock = socket.create_connection(self._address, timeout=_CONNECT_TIMEOUT_S)
        except OSError as error:
            self.rests_until = time.monotonic() + _REST_S
            raise Unreachable(str(error)) from error
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def give_back(self, sock: socket.socket) -> None:
        if len(self._idle) < _IDLE_CONNECTIONS:
            self._idle.append((time.monotonic(), sock))
        else:
            sock.close()

    def drop_idle(self) -> None:
        """After one connection broke: the process behind the others is probably gone too."""
        while self._idle:
            self._idle.pop()[1].close()


class Streamed:
    """An answer's body, piece by piece as it comes in; its connection is kept only if it was read to the end."""

    def __init__(self, origin: Origin, sock: socket.socket, answer: Answer) -> None:
        self._origin, self._sock, self._answer = origin, sock, answer
        self._is_whole = False

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._answer.read1(_PIECE_BYTES):
            yield piece
        if self._answer.length:
            # Ending here quietly would leave the client waiting for the rest on a connection that looks well.
            raise http.client.IncompleteRead(b"", self._answer.length)
        self._is_whole = True

    def close(self) -> None:
        if self._is_whole and not self._answer.will_close:
            self._origin.give_back(self._sock)
        else:
            self._answer.close()
            self._sock.close()


class Upstream:
    """Takes turns between the origins of a service and leaves out for a second those that did not answer."""

    def __init__(self, service: str, urls: Sequence[str]) -> None:
        self._service = service
        self._origins = [Origin(url) for url in urls]
        self._turn = 0

    def send(self, call: Call) -> Reply:
        """The service's answer. After a broken connection tried once more, on a new one: the call's key makes it one.

        Raises ``Unavailable`` if no origin can be reached, ``BadGateway`` if what comes back is no answer,
        ``GatewayTimeout``, after which nothing is repeated: the service may still be at it. A body in pieces is sent
        once, on a new connection.
        """
        if call.body is None or isinstance(call.body, bytes):
            try:
                return self._try(call, fresh=False)
            except _BROKEN as error:
                _log.warning("upstream_retry", upstream=self._service, error=repr(error))
        try:
            return self._try(call, fresh=True)
        except Unreachable as error:
            _log.warning("upstream_unreachable", upstream=self._service, error=repr(error))
            raise Unavailable from error
        except _BROKEN as error:
            _log.warning("upstream_broken", upstream=self._service, error=repr(error))
            raise BadGateway from error

    def _try(self, call: Call, *, fresh: bool) -> Reply:
        origin = self._next_origin()
        sock = origin.borrow(fresh=fresh)
        try:
            sock.settimeout(call.timeout_s)
            return _reply(origin, sock, call)
        except TimeoutError as error:
            sock.close()
            _log.warning("upstream_timeout", upstream=self._service, timeout_s=call.timeout_s)
            raise GatewayTimeout from error
        except BaseException as error:
            sock.close()
            if isinstance(error, _BROKEN):
                origin.drop_idle()
            raise

    def _next_origin(self) -> Origin:
        now = time.monotonic()
        for _ in self._origins:
            self._turn = (self._turn + 1) % len(self._origins)
            if self._origins[self._turn].rests_until <= now:
                break
        return self._origins[self._turn]


def _reply(origin: Origin, sock: socket.socket, call: Call) -> Reply:
    answer = exchange(sock, call, host=origin.host)
    if 300 <= answer.status < 400 or answer.status == 401:
        # No service redirects, and none may refuse us: both mean that something here is set up wrongly.
        _log.error("upstream_senseless", status=answer.status, path=call.path.partition("?")[0])
        raise BadGateway
    length = answer.length
    if length is None or length > _PIECE_BYTES:
        return Reply(answer.status, answer.fields, length, Streamed(origin, sock, answer))
    body = answer.read()
    if answer.will_close:
        sock.close()
    else:
        origin.give_back(sock)
    return Reply(answer.status, answer.fields, length, body)
