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
_OF_ALL_RECEIVERS = 256  # far below what a process may have open
_OLDEST_S = 300.0  # then the name is resolved anew: a receiver that moved is followed

_Receiver = tuple[str, str, int]


class ConnectionPool:
    def __init__(self) -> None:
        self._idle: dict[_Receiver, deque[tuple[float, Connection]]] = {}
        self._count = 0
        self._lock = threading.Lock()

    def take(self, target: Target) -> Connection | None:
        """The connection used last, so that those in excess grow old."""
        while True:
            with self._lock:
                waiting = self._idle.get(_receiver(target))
                if not waiting:
                    return None
                since, connection = waiting.pop()
                self._count -= 1
            if time.monotonic() - since < _IDLE_S and not _has_spoken(connection):
                return connection
            connection.close()

    def give(self, target: Target, connection: Connection) -> None:
        with self._lock:
            waiting = self._idle.setdefault(_receiver(target), deque())
            has_room = len(waiting) < _PER_RECEIVER and self._count < _OF_ALL_RECEIVERS
            if has_room and time.monotonic() - connection.since < _OLDEST_S:
                waiting.append((time.monotonic(), connection))
                self._count += 1
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
            self._count -= len(closed)
        for _, connection in closed:
            connection.close()


def _receiver(target: Target) -> _Receiver:
    return target.scheme, target.host, target.port


def _has_spoken(connection: Connection) -> bool:
    """A receiver that says something unasked has closed the connection, or is about to confuse two answers."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))
