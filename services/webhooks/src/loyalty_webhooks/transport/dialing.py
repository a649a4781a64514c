"""From a target to a connected socket, by way of addresses that were judged."""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import Any

from loyalty_webhooks.domain import addresses
from loyalty_webhooks.domain.targets import Target
from loyalty_webhooks.transport.errors import AddressRefused, NotConnected, NotResolved, TlsFailed
from loyalty_webhooks.transport.watchdog import Watch

DNS_S = 2.0
CONNECT_S = 3.0
_LOOKUPS = 128

# What getaddrinfo returns: family, type, protocol, canonical name, socket address.
Resolved = tuple[Any, Any, int, str, tuple[Any, ...]]
Resolver = Callable[[str, int], Sequence[Resolved]]


class SystemResolver:
    """``getaddrinfo``, which has no time limit, in a thread that can be left behind."""

    def __init__(self) -> None:
        self._slots = threading.BoundedSemaphore(_LOOKUPS)

    def __call__(self, host: str, port: int) -> Sequence[Resolved]:
        if not self._slots.acquire(timeout=DNS_S):
            raise NotResolved
        answers: queue.SimpleQueue[Sequence[Resolved]] = queue.SimpleQueue()
        threading.Thread(target=self._ask, args=(host, port, answers), daemon=True).start()
        try:
            return answers.get(timeout=DNS_S)
        except queue.Empty:
            raise NotResolved from None

    def _ask(self, host: str, port: int, answers: queue.SimpleQueue[Sequence[Resolved]]) -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError):
            answers.put(())
        finally:
            self._slots.release()


class Dialer:
    """Resolves, judges every address, and connects to one of those: nothing is resolved a second time."""

    def __init__(
        self,
        *,
        allowed_networks: Sequence[addresses.Network],
        resolver: Resolver | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._allowed_networks = allowed_networks
        self._resolver = resolver or SystemResolver()
        # One for all connections: building one costs more than a handshake.
        self._ssl_context = ssl_context or ssl.create_default_context()

    def vet(self, target: Target) -> Sequence[Resolved]:
        """The addresses of the target's host; ``AddressRefused`` if a single one of them is not permitted."""
        resolved = self._resolver(target.host, target.port)
        if not resolved:
            raise NotResolved
        for *_, sockaddr in resolved:
            # Before the "%" stands the address, behind it the interface of a link-local one.
            address = ip_address(str(sockaddr[0]).partition("%")[0])
            if not addresses.permits(address, allowed=self._allowed_networks):
                raise AddressRefused
        return resolved

    def connect(self, target: Target, watch: Watch) -> socket.socket:
        connection = self._connect_to_one(self.vet(target), watch)
        return connection if target.scheme == "http" else self._secure(connection, target.host, watch)

    def _secure(self, connection: socket.socket, host: str, watch: Watch) -> ssl.SSLSocket:
        try:
            secured = self._ssl_context.wrap_socket(connection, server_hostname=host, do_handshake_on_connect=False)
        except (OSError, ValueError):
            connection.close()
            raise TlsFailed from None
        try:
            watch.attach(secured)
            secured.do_handshake()
        except OSError:
            secured.close()
            raise TlsFailed from None
        return secured

    def _connect_to_one(self, resolved: Sequence[Resolved], watch: Watch) -> socket.socket:
        ends_at = time.monotonic() + CONNECT_S
        for position, (family, kind, protocol, _, sockaddr) in enumerate(resolved):
            remaining = ends_at - time.monotonic()
            if remaining <= 0:
                break
            connection = socket.socket(family, kind, protocol)
            try:
                watch.attach(connection)
                # A share each, so that a dead first address leaves time for the next.
                connection.settimeout(remaining / (len(resolved) - position))
                connection.connect(sockaddr)
                connection.settimeout(None)  # from here on the watchdog alone measures
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError:
                connection.close()
                continue
            return connection
        raise NotConnected
