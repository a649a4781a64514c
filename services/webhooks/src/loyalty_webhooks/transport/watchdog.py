"""Ends what takes too long from outside: a receiver that sends one byte a second defeats every socket timeout."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Watch:
    """One attempt's time. The socket that the attempt uses is shut down when the time is over."""

    def __init__(self, seconds: float) -> None:
        self.ends_at = time.monotonic() + seconds
        self.expired = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def attach(self, connection: socket.socket) -> None:
        """From now on this socket is the one to end; at once, if the time is over already."""
        with self._lock:
            self._socket = connection
            if self.expired:
                _shut_down(connection)

    def release(self) -> None:
        """The socket goes back to a pool: nobody may end it in this attempt's name any more."""
        with self._lock:
            self._socket = None

    def expire(self) -> None:
        with self._lock:
            self.expired = True
            if self._socket is not None:
                _shut_down(self._socket)


class Watchdog:
    """Looks at all running attempts; ``tick`` is called about ten times a second by one thread."""

    def __init__(self) -> None:
        self._watches: set[Watch] = set()
        self._lock = threading.Lock()

    @contextmanager
    def watch(self, seconds: float) -> Iterator[Watch]:
        watch = Watch(seconds)
        with self._lock:
            self._watches.add(watch)
        try:
            yield watch
        finally:
            watch.release()
            with self._lock:
                self._watches.discard(watch)

    def tick(self) -> None:
        now = time.monotonic()
        with self._lock:
            late = [watch for watch in self._watches if watch.ends_at <= now]
        for watch in late:
            watch.expire()


def _shut_down(connection: socket.socket) -> None:
    # shutdown, because close() leaves a reader in another thread hanging; the plain socket's, because
    # SSLSocket.shutdown() takes the TLS state away under that reader.
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
