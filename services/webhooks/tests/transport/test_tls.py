"""Over TLS the certificate must be that of the host in the URL, whatever the address."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from loyalty_webhooks.domain.targets import Target
from loyalty_webhooks.transport.client import Answer, Client
from loyalty_webhooks.transport.dialing import Dialer

HOST = "hooks.example.com"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of ``hooks.example.com``, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def secured(receive: Callable[..., Target], certificate: Path) -> tuple[Target, list[str | None]]:
    """A receiver that speaks TLS and drips nothing; the names that it was asked for."""
    names: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda _socket, name, _context: names.append(name)

    def answer(connection: socket.socket) -> None:
        with context.wrap_socket(connection.dup(), server_side=True) as spoken:
            while spoken.recv(65536):
                spoken.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    return receive(answer, unread=True), names


@pytest.fixture
def trusting(certificate: Path) -> Iterator[Client]:
    """Knows every name as loopback, and trusts the receiver's certificate."""

    def resolver(host: str, port: int) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    context = ssl.create_default_context(cafile=str(certificate))
    networks = [ipaddress.ip_network("127.0.0.0/8")]
    client = Client(Dialer(allowed_networks=networks, resolver=resolver, ssl_context=context), attempt_s=1.0)
    yield client
    client.close()


def post(client: Client, host: str, port: int) -> Answer:
    return client.post(Target("https", host, port, "/hook"), headers={}, body=b"{}")


def test_the_vetted_address_is_asked_for_the_host_by_name(
    trusting: Client, secured: tuple[Target, list[str | None]]
) -> None:
    target, names = secured
    assert [post(trusting, HOST, target.port).status_code for _ in range(3)] == [200] * 3
    assert names == [HOST]  # one handshake: the connection was kept


def test_a_certificate_of_another_host_ends_the_attempt(
    trusting: Client, secured: tuple[Target, list[str | None]]
) -> None:
    answer = post(trusting, "other.example.com", secured[0].port)
    assert answer.failure is not None
    assert answer.failure.stage == "tls"


def test_a_certificate_that_nobody_vouches_for_ends_the_attempt(secured: tuple[Target, list[str | None]]) -> None:
    client = Client(Dialer(allowed_networks=[ipaddress.ip_network("127.0.0.0/8")]), attempt_s=1.0)
    answer = post(client, "127.0.0.1", secured[0].port)
    client.close()
    assert answer.failure is not None
    assert answer.failure.stage == "tls"


def test_a_handshake_that_never_ends_is_left_at_the_deadline(trusting: Client, receive: Callable[..., Target]) -> None:
    silent = receive(lambda _: threading.Event().wait(1.5), unread=True)
    answer = post(trusting, HOST, silent.port)
    assert answer.failure is not None
    assert answer.failure.stage == "deadline"
    assert answer.duration_ms < 1500
