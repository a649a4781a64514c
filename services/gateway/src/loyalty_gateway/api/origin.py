"""One instance of a service: its idle connections, and a breaker that leaves it alone while it fails."""

from __future__ import annotations

import http.client
import socket
import time
from urllib.parse import urlsplit

from loyalty_gateway.api.exchange import Call, exchange

_CONNECT_TIMEOUT_S = 0.5
_ALIVE = Call("GET", "/livez", [], None, _CONNECT_TIMEOUT_S)
# Shorter than the services' own keep-alive of 75 s: whoever closes first must be us.
_IDLE_S = 30.0
_IDLE_CONNECTIONS = 256
_FIRST_REST_S = 0.1
_LONGEST_REST_S = 2.0
_OPEN_AFTER = 5


class Unreachable(OSError):
    """No connection within half a second, or nobody behind it yet: nothing of the call was sent."""


class Origin:
    """One base URL. The idle connection that was used last is the first to be used again.

    After a failure the instance rests, 0.1 s and twice as long after each further one, at most 2 s; then one request
    finds out whether it is back. ``is_open`` after 5 in a row: from then on only those ever get through.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host = parts.netloc
        self._address = (parts.hostname or "", parts.port or 80)
        self._idle: list[tuple[float, socket.socket]] = []
        self._failures = 0
        self._failed_at = 0.0
        self.rests_until = 0.0

    @property
    def is_open(self) -> bool:
        return self._failures >= _OPEN_AFTER

    def is_ready(self, now: float) -> bool:
        """Whether it may be asked. If it was resting, the caller is the one who finds out, and the others wait on."""
        if self.rests_until > now:
            return False
        if self._failures:
            self.rests_until = now + self._rest_s()
        return True

    def failed(self, *, asked_at: float) -> None:
        """A request of that time failed. Many that broke at the same moment are one failure."""
        if asked_at < self._failed_at:
            return
        self._failures += 1
        self._failed_at = time.monotonic()
        self.rests_until = self._failed_at + self._rest_s()
        # The process behind the other connections is probably gone too.
        self.drop_idle()

    def answered(self) -> None:
        if self._failures:
            self._failures, self.rests_until = 0, 0.0

    def borrow(self, *, fresh: bool, has_peers: bool) -> socket.socket:
        """With ``has_peers`` an instance that failed has to be alive first, since there are others to ask."""
        while self._idle and not fresh:
            since, sock = self._idle.pop()
            if time.monotonic() - since < _IDLE_S:
                return sock
            sock.close()
        try:
            sock = socket.create_connection(self._address, timeout=_CONNECT_TIMEOUT_S)
        except OSError as error:
            raise Unreachable(str(error)) from error
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._failures and has_peers:
            self._check_alive(sock)
        return sock

    def _check_alive(self, sock: socket.socket) -> None:
        """A process that starts accepts connections seconds before it answers them."""
        try:
            answer = exchange(sock, _ALIVE, host=self.host)
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            sock.close()
            raise Unreachable(f"/livez: {error!r}") from error
        if answer.status != 200 or answer.will_close:
            sock.close()
            raise Unreachable(f"/livez: {answer.status}")

    def give_back(self, sock: socket.socket) -> None:
        if len(self._idle) < _IDLE_CONNECTIONS:
            self._idle.append((time.monotonic(), sock))
        else:
            sock.close()

    def drop_idle(self) -> None:
        while self._idle:
            self._idle.pop()[1].close()

    def _rest_s(self) -> float:
        return float(min(_LONGEST_REST_S, _FIRST_REST_S * 2 ** (min(self._failures, 10) - 1)))
