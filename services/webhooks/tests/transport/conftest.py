"""Receivers with bad manners, on loopback."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from ipaddress import ip_network

import pytest

from loyalty_webhooks.domain.targets import Target
from loyalty_webhooks.transport.client import Answer, Client
from loyalty_webhooks.transport.dialing import Dialer

Behaviour = Callable[[socket.socket], None]
Receive = Callable[..., Target]
Post = Callable[..., Answer]


@pytest.fixture
def receive() -> Iterator[Receive]:
    """``receive(behaviour)`` listens; each connection is given to ``behaviour`` once a whole request has come.

    With ``unread=True`` at once. The target to post to is returned.
    """
    listeners: list[socket.socket] = []
    connections: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def serve(listener: socket.socket, behaviour: Behaviour, unread: bool) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connections.append(connection)
            thread = threading.Thread(target=talk, args=(connection, behaviour, unread))
            threads.append(thread)
            thread.start()

    def talk(connection: socket.socket, behaviour: Behaviour, unread: bool) -> None:
        try:
            while unread or _read_request(connection):
                behaviour(connection)
                if unread:
                    return
        except OSError:
            pass
        finally:
            connection.close()

    def start(behaviour: Behaviour, *, unread: bool = False) -> Target:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        thread = threading.Thread(target=serve, args=(listener, behaviour, unread))
        threads.append(thread)
        thread.start()
        return Target("http", "127.0.0.1", listener.getsockname()[1], "/hook")

    yield start
    for listener in listeners:
        # Wakes accept(); close() alone does not.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for connection in connections:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def _read_request(connection: socket.socket) -> bool:
    head = b""
    while b"\r\n\r\n" not in head:
        part = connection.recv(65536)
        if not part:
            return False
        head += part
    head, _, body = head.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    while len(body) < length:
        body += connection.recv(65536)
    return True


@pytest.fixture
def client() -> Iterator[Client]:
    """One that may call loopback and gives up after a second."""
    client = Client(Dialer(allowed_networks=[ip_network("127.0.0.0/8")]), attempt_s=1.0)
    yield client
    client.close()


@pytest.fixture
def post(client: Client) -> Post:
    def post_something(target: Target, body: bytes = b'{"id":"1"}') -> Answer:
        return client.post(target, headers={"Content-Type": "application/json"}, body=body)

    return post_something
