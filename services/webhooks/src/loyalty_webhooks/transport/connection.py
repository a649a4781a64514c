"""http.client's connection, on a socket that was vetted before."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from http.client import HTTPConnection
from typing import Any

from loyalty_webhooks.domain.targets import Target


class Connection(HTTPConnection):
    auto_open = 0  # it must never connect by itself: only the dialer judges addresses

    def __init__(self, target: Target, connected: socket.socket) -> None:
        super().__init__(target.host, target.port)
        self.sock = connected
        self.since = time.monotonic()
        self._gathered: list[Any] = []

    def send(self, data: Any) -> None:
        """Gathers: http.client would send head and body apart, in two system calls and two packets."""
        self._gathered.append(data)

    def post(self, path: str, *, headers: Mapping[str, str], body: bytes) -> None:
        self.request("POST", path, body=body, headers=headers)
        request, self._gathered = b"".join(self._gathered), []
        self.sock.sendall(request)
