"""Connections that a receiver left open, kept for its next delivery."""

from __future__ import annotations

import select
import threading
import time
from collections import deque

from loyalty_webhooks.domain.targets import Target
from loyalty_webhooks.transport.connection import Connection

_IDLE_S = 30.0
_PER_RECEIVER = 32

_Receiver = tuple[str, str, int]


class ConnectionPool:
    def __init__(self) -> None:
        self._idle: dict[_Receiver, deque[tuple[float, Connection]]] = {}
        self._lock = threading.Lock()

    def take(self, target: Target) -> Connection | None:
        """The connection used last, so that those in excess grow old."""
        while True:
            with self._lock:
                waiting = self._idle.get(_receiver(target))
                if not waiting:
                    return None
                since, connection = waiting.pop()
            if time.monotonic() - since < _IDLE_S and not _has_spoken(connection):
                return connection
            connection.close()

    def give(self, target: Target, connection: Connection) -> None:
        with self._lock:
            waiting = self._idle.setdefault(_receiver(target), deque())
            if len(waiting) < _PER_RECEIVER:
                waiting.append((time.monotonic(), connection))
                return
        connection.close()

    def sweep(self, *, idle_s: float = _IDLE_S) -> None:
        """Close what nobody took for ``idle_s``; called now and then, and with 0 at the end."""
        too_old = time.monotonic() - idle_s
        with self._lock:
            closed = [pair for waiting in self._idle.values() for pair in waiting if pair[0] <= too_old]
            self._idle = {
                receiver: kept
                for receiver, waiting in self._idle.items()
                if (kept := deque(pair for pair in waiting if pair[0] > too_old))
            }
        for _, connection in closed:
            connection.close()


def _receiver(target: Target) -> _Receiver:
    return target.scheme, target.host, target.port


def _has_spoken(connection: Connection) -> bool:
    """A receiver that says something unasked has closed the connection, or is about to confuse two answers."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))
