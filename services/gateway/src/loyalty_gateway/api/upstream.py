"""A service behind one or several base URLs, over connections that are kept."""

from __future__ import annotations

import http.client
import math
import socket
import time
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import structlog

from loyalty_common.errors import BadGateway, GatewayTimeout, Unavailable
from loyalty_gateway.api.exchange import Answer, Call, Header, exchange
from loyalty_gateway.api.origin import Origin, Unreachable

_log = structlog.get_logger()
_PIECE_BYTES = 64 * 1024
_BROKEN = (OSError, http.client.HTTPException)


class Reply(NamedTuple):
    """``body`` is whole where it is small, else it streams; ``length`` is ``None`` where only the end will tell."""

    status: int
    headers: Sequence[Header]
    length: int | None
    body: bytes | Streamed


class Streamed:
    """An answer's body, piece by piece as it comes in; its connection is kept only if it was read to the end."""

    def __init__(self, origin: Origin, sock: socket.socket, answer: Answer) -> None:
        self._origin, self._sock, self._body = origin, sock, answer.stream()
        self._is_whole = False

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._body.read1(_PIECE_BYTES):
            yield piece
        if self._body.length:
            # Ending here quietly would leave the client waiting for the rest on a connection that looks well.
            raise http.client.IncompleteRead(b"", self._body.length)
        self._is_whole = True

    def close(self) -> None:
        if self._is_whole and not self._body.will_close:
            self._origin.give_back(self._sock)
        else:
            self._body.close()
            self._sock.close()


class Upstream:
    """Takes turns between the instances of a service, and leaves out those that fail."""

    def __init__(self, service: str, urls: Sequence[str]) -> None:
        self._service = service
        self._origins = [Origin(url) for url in urls]
        self._turn = 0

    def send(self, call: Call) -> Reply:
        """The service's answer. What was sent and broke is sent once more, on a new connection and if possible to
        another instance: the call's key makes it one. Where no connection could be made the next one is tried.

        Raises ``Unavailable`` if no instance can be reached or all are left alone, ``BadGateway`` if what comes back is
        no answer, ``GatewayTimeout``, after which nothing is repeated: the service may still be at it. A body in pieces
        is sent once.
        """
        sends_left = 2 if call.body is None or isinstance(call.body, bytes) else 1
        fresh = sends_left == 1
        broken: set[Origin] = set()
        unreachable: set[Origin] = set()
        while True:
            origin = self._next_origin(broken, unreachable)
            try:
                return self._try(origin, call, fresh=fresh)
            except Unreachable as error:
                _log.warning("upstream_unreachable", upstream=self._service, origin=origin.host, error=repr(error))
                unreachable.add(origin)
                if len(unreachable) == len(self._origins):
                    raise Unavailable from error
            except _BROKEN as error:
                broken.add(origin)
                sends_left, fresh = sends_left - 1, True
                event = "upstream_retry" if sends_left else "upstream_broken"
                _log.warning(event, upstream=self._service, origin=origin.host, error=repr(error))
                if not sends_left:
                    raise BadGateway from error

    def _try(self, origin: Origin, call: Call, *, fresh: bool) -> Reply:
        asked_at = time.monotonic()
        sock: socket.socket | None = None
        try:
            sock = origin.borrow(fresh=fresh, has_peers=len(self._origins) > 1)
            if sock.gettimeout() != call.timeout_s:
                sock.settimeout(call.timeout_s)
            reply = _reply(origin, sock, call)
        except BaseException as error:
            if sock is not None:
                sock.close()
            if isinstance(error, _BROKEN):
                origin.failed(asked_at=asked_at)
            if isinstance(error, TimeoutError):
                _log.warning("upstream_timeout", upstream=self._service, origin=origin.host, timeout_s=call.timeout_s)
                raise GatewayTimeout from error
            raise
        origin.answered()
        return reply

    def _next_origin(self, broken: Collection[Origin], unreachable: Collection[Origin]) -> Origin:
        """One that is well; else one that rests, or broke just now; ``Unavailable`` if all others are given up."""
        now = time.monotonic()
        for _ in self._origins:
            self._turn = (self._turn + 1) % len(self._origins)
            origin = self._origins[self._turn]
            if origin not in broken and origin not in unreachable and origin.is_ready(now):
                return origin
        resting = sorted(self._origins, key=lambda origin: (origin in broken, origin.rests_until))
        for origin in resting:
            if not origin.is_open and origin not in unreachable:
                return origin
        wait_s = min(origin.rests_until for origin in resting) - now
        raise Unavailable(retry_after_s=max(1, math.ceil(wait_s)))


def _reply(origin: Origin, sock: socket.socket, call: Call) -> Reply:
    answer = exchange(sock, call, host=origin.host)
    if 300 <= answer.status < 400 or (answer.status == 401 and not call.is_judged):
        # No service redirects, and none may refuse us: both mean that something here is set up wrongly.
        _log.error("upstream_senseless", status=answer.status, origin=origin.host)
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
