"""One sender process with its queue full, beside loops that do nothing but post."""

from __future__ import annotations

import asyncio
import datetime
import http.client
import ipaddress
import json
import re
import ssl
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from benchmarks import stage, tools
from benchmarks.pace import Limit, Line, NotMeasured, Pace
from loyalty_local.suite import Suite
from loyalty_testing.integrator import Integrator
from loyalty_testing.machine import free_port
from loyalty_webhooks.domain.signing import delivery_headers

ENDPOINTS = 100
THREADS = 64
_SLOW_S = 0.2
_PAYLOAD = '{"id": "550e8400-e29b-41d4-a716-446655440000", "data": "' + "x" * 960 + '"}'

# Sealed off until ``_RELEASE``: filling is not what is measured.
_FILL = """
    with event as (
        insert into webhook_events (tenant_id, id, created_at, sequence, event, payload)
        select tenant_id, gen_random_uuid(), now(), nextval('bench_sequence'), 'loyalty.points_earned', %(payload)s
          from (select distinct tenant_id from webhook_endpoints where deleted_at is null) tenant,
               generate_series(1, %(events)s)
        returning *
    ), owed as (
        insert into webhook_deliveries (tenant_id, event_created_at, event_id, event, sequence, endpoint_id, trigger,
                                        status, attempt_count, next_attempt_at, created_at)
        select event.tenant_id, event.created_at, event.id, event.event, event.sequence, endpoint.id, 'event',
               'pending', 0, now() + interval '1 hour', now()
          from event join webhook_endpoints endpoint using (tenant_id)
         where endpoint.deleted_at is null
        returning *
    )
    insert into delivery_queue (tenant_id, delivery_id, endpoint_id, event_id, event_created_at, attempt_count,
                                next_attempt_at)
    select tenant_id, id, endpoint_id, event_id, event_created_at, 0, next_attempt_at from owed
"""
_RELEASE = "update delivery_queue set next_attempt_at = now()"


def over_http(pace: Pace) -> list[Line]:
    port = free_port()
    with tools.nginx(port, f"server {{ listen 127.0.0.1:{port}; {_ANSWERS} }}"), _sender(environment={}) as sender:
        sender.subscribe(*(f"http://127.0.0.1:{port}/{number}" for number in range(ENDPOINTS)))
        loop = Limit("http.client loop", lambda seconds: post(f"127.0.0.1:{port}", seconds), reach=0.3)
        return pace.compare("deliveries, 100 endpoints, HTTP", sender.deliver, loop)


def over_tls(pace: Pace) -> list[Line]:
    port, ready = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="loyalty-tls-") as folder:
        certificate = certify(Path(folder))
        secured = f"listen 127.0.0.1:{port} ssl; ssl_certificate {certificate}; ssl_certificate_key {certificate};"
        servers = f"server {{ {secured} {_ANSWERS} }} server {{ listen 127.0.0.1:{ready}; {_ANSWERS} }}"
        trust = {"SSL_CERT_FILE": str(certificate)}
        with tools.nginx(ready, servers), _sender(environment=trust) as sender:
            sender.subscribe(*(f"https://127.0.0.1:{port}/{number}" for number in range(ENDPOINTS)))
            context = ssl.create_default_context(cafile=str(certificate))
            loop = Limit("the same loop", lambda seconds: post(f"127.0.0.1:{port}", seconds, context), reach=0.3)
            return pace.compare("deliveries, 100 endpoints, TLS", sender.deliver, loop)


def to_slow_receivers(pace: Pace) -> list[Line]:
    """One endpoint at each of 64 hosts, of two tenants: as many as a sender may have under way. For one it is 7/8."""
    hosts = [f"127.0.1.{number}" for number in range(1, THREADS + 1)]
    allowed = {"WEBHOOKS_ALLOWED_HTTP_HOSTS": ",".join(hosts)}
    with _slow_receivers() as port, _sender(environment=allowed, per_second=THREADS / _SLOW_S) as sender:
        sender.subscribe(*(f"http://{host}:{port}/hook" for host in hosts))
        limit = Limit(f"{THREADS} in flight ÷ {_SLOW_S} s", lambda _: THREADS / _SLOW_S, reach=0.8)
        return pace.compare("deliveries to 64 receivers that take 200 ms", sender.deliver, limit)


@contextmanager
def _slow_receivers() -> Iterator[int]:
    """Every address of this machine on one port; each answer takes its time."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(re.search(rb"content-length: (\d+)", head, re.I)[1]))  # type: ignore[index]
                await asyncio.sleep(_SLOW_S)
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(answer, "0.0.0.0", 0, backlog=512))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


_ANSWERS = "location = /readyz { return 200; } location / { return 204; }"


@dataclass(frozen=True)
class Sender:
    """The ``deliver`` process of a suite that stands still otherwise."""

    suite: Suite
    merchant: stage.Merchant
    per_second: float

    def subscribe(self, *urls: str) -> None:
        """Every second one in the merchant's test mode."""
        of = ("--organization", str(self.merchant.organization_id), "--name", "Benchmark", "--mode", "test")
        test_key = json.loads(self.suite.run("gateway", "keys", "create", *of))["key"]
        test = replace(self.merchant, api=Integrator(self.suite.base_url, test_key))
        for merchant, url in zip(cycle((self.merchant, test)), urls, strict=False):
            stage.subscribe(merchant, url)
        stage.stop_all_but(self.suite, "postgres", "webhooks-deliver")

    def deliver(self, seconds: float) -> float:
        with stage.database(self.suite, "webhooks") as webhooks:
            endpoints = stage.count(webhooks, "select count(*) from webhook_endpoints where deleted_at is null")
            events = max(1, int(seconds * self.per_second / endpoints))
            given = {"payload": _PAYLOAD, "events": events}
            webhooks.execute("create sequence if not exists bench_sequence start 1000000")
            webhooks.execute(_FILL, given)
            before = _succeeded(webhooks)
            deliveries = stage.count(webhooks, "select count(*) from delivery_queue")
            webhooks.execute(_RELEASE)
            released_at = time.perf_counter()
            stage.wait_until(
                lambda: stage.count(webhooks, "select count(*) from delivery_queue") == 0,
                what=f"{deliveries} deliveries",
                every_s=0.01,
            )
            took_s = time.perf_counter() - released_at
            if _succeeded(webhooks) != before + deliveries:
                raise NotMeasured("not every delivery succeeded")
        return deliveries / took_s


@contextmanager
def _sender(*, environment: dict[str, str], per_second: float = 1_000) -> Iterator[Sender]:
    with stage.suite_running(environment={"DELIVER_THREADS": str(THREADS), **environment}) as suite:
        yield Sender(suite, stage.merchant_of(suite), per_second)


def post(address: str, seconds: float, context: ssl.SSLContext | None = None) -> float:
    """The same bytes from as many threads over connections that are kept; how many a second."""
    body = _PAYLOAD.encode()
    headers = delivery_headers(
        signing_secrets=["whsec_AAAA"],
        event="loyalty.points_earned",
        event_id=str(uuid.uuid4()),
        delivery_id=1,
        attempt=1,
        timestamp=int(time.time()),
        body=body,
    )
    counts = [0] * THREADS
    ends_at = time.perf_counter() + seconds

    def loop(number: int) -> None:
        made = http.client.HTTPSConnection(address, context=context) if context else http.client.HTTPConnection(address)
        while time.perf_counter() < ends_at:
            made.request("POST", f"/{number}", body, headers)
            made.getresponse().read()
            counts[number] += 1
        made.close()

    threads = [threading.Thread(target=loop, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def certify(folder: Path) -> Path:
    """Key and certificate of 127.0.0.1, signed by itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "both.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def _succeeded(webhooks: stage.Connection) -> int:
    return stage.count(webhooks, "select count(*) from webhook_deliveries where status = 'succeeded'")
