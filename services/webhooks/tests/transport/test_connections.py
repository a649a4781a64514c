"""Where connections go, and how they are kept."""

from __future__ import annotations

import fcntl
import socket
import sys
import termios
import threading
import time
from collections.abc import Callable, Sequence
from ipaddress import ip_network
from typing import Any

import pytest

from loyalty_testing.machine import free_port
from loyalty_webhooks.domain.targets import Target
from loyalty_webhooks.transport.client import Answer, Client
from loyalty_webhooks.transport.connection import Connection
from loyalty_webhooks.transport.dialing import Dialer
from loyalty_webhooks.transport.pool import ConnectionPool

Post = Callable[..., Answer]
Receive = Callable[..., Target]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
LOOPBACK = [ip_network("127.0.0.0/8")]
pytestmark = pytest.mark.soak  # hard test 6 of the webhooks' design, with tests/domain/test_addresses.py


def stage(answer: Answer) -> str | None:
    return answer.failure.stage if answer.failure else None


def resolved(*addresses: str) -> Sequence[Any]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 1)) for address in addresses]


def unacknowledged(connection: socket.socket) -> int:
    """Bytes on their way that the other side's system does not have yet."""
    return int.from_bytes(fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4)), sys.byteorder)


def test_deliveries_to_one_receiver_share_a_connection(receive: Receive, post: Post) -> None:
    peers: set[Any] = set()

    def answer_and_remember(to: socket.socket) -> None:
        peers.add(to.getpeername())
        to.sendall(OK)

    target = receive(answer_and_remember)
    assert [post(target).status_code for _ in range(20)] == [200] * 20
    assert len(peers) == 1


def test_a_connection_that_the_receiver_closed_meanwhile_costs_no_attempt(receive: Receive, post: Post) -> None:
    def answer_once(to: socket.socket) -> None:
        to.sendall(OK)
        raise OSError

    target = receive(answer_once)
    assert [post(target).status_code for _ in range(10)] == [200] * 10


def test_a_receiver_that_resets_a_kept_connection_is_asked_again_once(receive: Receive, post: Post) -> None:
    requests = []

    def answer_every_other(to: socket.socket) -> None:
        requests.append(1)
        if len(requests) == 2:
            raise OSError
        to.sendall(OK)

    target = receive(answer_every_other)
    assert [post(target).status_code, post(target).status_code] == [200, 200]
    assert len(requests) == 3


def test_bytes_sent_unasked_are_never_taken_for_the_next_answer(receive: Receive, post: Post) -> None:
    spoken = threading.Semaphore(0)

    def answer_twice(to: socket.socket) -> None:
        to.sendall(OK)
        to.sendall(b"HTTP/1.1 500 Smuggled\r\nContent-Length: 0\r\n\r\n")
        while unacknowledged(to):
            time.sleep(0.001)
        spoken.release()

    target = receive(answer_twice)
    for _ in range(5):
        assert post(target).status_code == 200
        assert spoken.acquire(timeout=5)


def test_an_answer_that_says_close_ends_the_connection(receive: Receive, post: Post) -> None:
    connections = []

    def close(to: socket.socket) -> None:
        connections.append(to)
        to.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")

    target = receive(close)
    assert [post(target).status_code for _ in range(3)] == [200] * 3
    assert len(set(connections)) == 3


def test_no_more_connections_are_kept_than_a_process_may_have_open(receive: Receive) -> None:
    target = receive(lambda to: to.recv(1), unread=True)
    pool = ConnectionPool()
    for port in range(1, 301):
        one = socket.create_connection(("127.0.0.1", target.port))
        pool.give(Target("http", "127.0.0.1", port, "/"), Connection(target, one))
    kept = [pool.take(Target("http", "127.0.0.1", port, "/")) for port in range(1, 301)]
    assert [connection is not None for connection in kept] == [True] * 256 + [False] * 44
    for connection in kept[:256]:
        assert connection is not None
        connection.close()


def test_a_dead_port_fails_to_connect(post: Post) -> None:
    assert stage(post(Target("http", "127.0.0.1", free_port(), "/"))) == "connect"


def test_a_host_without_an_address_fails_to_resolve(post: Post) -> None:
    assert stage(post(Target("http", "nobody.invalid", 80, "/"))) == "dns"


def test_a_receiver_without_tls_fails_the_handshake(receive: Receive, post: Post) -> None:
    plain = receive(lambda to: to.sendall(b"what?"), unread=True)
    assert stage(post(Target("https", "127.0.0.1", plain.port, "/"))) == "tls"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "0"])
def test_no_spelling_of_loopback_is_connected_to(receive: Receive, host: str) -> None:
    asked: list[int] = []
    target = receive(lambda to: asked.append(1), unread=True)
    client = Client(Dialer(allowed_networks=[]), attempt_s=1.0)
    answer = client.post(Target("http", host, target.port, "/"), headers={}, body=b"")
    client.close()
    assert stage(answer) == "address"
    assert asked == []


def test_one_private_address_among_public_ones_refuses_the_host() -> None:
    client = Client(
        Dialer(allowed_networks=[], resolver=lambda host, port: resolved("8.8.8.8", "10.0.0.1")), attempt_s=1.0
    )
    answer = client.post(Target("http", "mixed.example", 80, "/"), headers={}, body=b"")
    client.close()
    assert stage(answer) == "address"


def test_a_name_is_resolved_once_per_connection_so_a_second_answer_changes_nothing(receive: Receive) -> None:
    target = receive(lambda to: to.sendall(OK))
    answers = iter(["127.0.0.1", "127.0.0.2", "127.0.0.3"])
    asked: list[str] = []

    def rebinding(host: str, port: int) -> Sequence[Any]:
        asked.append(next(answers))
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (asked[-1], port))]

    client = Client(Dialer(allowed_networks=[ip_network("127.0.0.1/32")], resolver=rebinding), attempt_s=1.0)
    rebound = Target("http", "rebound.example", target.port, "/hook")
    assert client.post(rebound, headers={}, body=b"").status_code == 200
    # The connection is kept: the name is not asked for, and what it would say now does not count.
    assert client.post(rebound, headers={}, body=b"").status_code == 200
    assert asked == ["127.0.0.1"]
    client.close()
    # A new connection judges anew.
    again = Client(Dialer(allowed_networks=[ip_network("127.0.0.1/32")], resolver=rebinding), attempt_s=1.0)
    assert stage(again.post(rebound, headers={}, body=b"")) == "address"
    again.close()


def test_a_dead_first_address_leaves_time_for_the_second(receive: Receive) -> None:
    target = receive(lambda to: to.sendall(OK))

    def two(host: str, port: int) -> Sequence[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in ("127.0.0.9", "127.0.0.1")]

    client = Client(Dialer(allowed_networks=LOOPBACK, resolver=two), attempt_s=1.0)
    answer = client.post(Target("http", "two.example", target.port, "/"), headers={}, body=b"")
    client.close()
    assert answer.status_code == 200


def test_proxies_and_passwords_of_the_environment_are_ignored(
    receive: Receive, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []
    proxy = receive(lambda to: seen.append(b"proxied"), unread=True)
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    target = receive(lambda to: to.sendall(OK))
    assert post(target).status_code == 200
    assert seen == []


def test_a_slow_resolver_is_left_after_two_seconds() -> None:
    released = threading.Event()
    dialer = Dialer(allowed_networks=LOOPBACK)
    client = Client(dialer)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", lambda *_, **__: released.wait(5) and [])
        answer = client.post(Target("http", "slow.example", 80, "/"), headers={}, body=b"")
    released.set()
    client.close()
    assert stage(answer) == "dns"
    assert 2000 <= answer.duration_ms < 2500
