"""The service on a database of its own, called as the gateway calls it, and receivers for what it sends."""

from __future__ import annotations

import base64
import http.server
import itertools
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from loyalty_common import database, migrations
from loyalty_common.messaging.message import Message
from loyalty_testing.keys import IdentityKeys
from loyalty_testing.postgres import Postgres
from loyalty_webhooks.__main__ import MIGRATIONS
from loyalty_webhooks.app import create_app
from loyalty_webhooks.jobs import partitions
from loyalty_webhooks.settings import Settings

_tenants = itertools.count(1)


@pytest.fixture(scope="session")
def settings(postgres: Postgres, identity_keys: IdentityKeys) -> Settings:
    return Settings(
        database_url=postgres.create_database("webhooks"),
        database_pool_size=10,
        bind="",
        web_workers=1,
        web_threads=1,
        deliver_threads=16,
        public_base_url="https://loyalty.test/api/v1",
        events_url="",
        identity_public_keys=identity_keys.public_keys,
        identity_private_key=identity_keys.private_key("webhooks"),
        secret_keys={1: bytes(32)},
        allowed_networks=(ip_network("127.0.0.0/8"),),
        allowed_http_hosts=frozenset({"127.0.0.1"}),
        otel_exporter_otlp_endpoint="",
        log_level="error",
        metrics_port=0,
    )


@pytest.fixture(scope="session")
def engine(settings: Settings) -> Iterator[Engine]:
    engine = database.create_engine(settings.database_url, pool_size=12, application_name="tests")
    migrations.upgrade(engine, script_location=MIGRATIONS)
    partitions.make_ahead(engine, today=datetime.now(UTC).date())
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def client(settings: Settings, engine: Engine) -> Iterator[FlaskClient]:
    app = create_app(settings)
    yield app.test_client()
    app.extensions["engine"].dispose()


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    """The variables of a process of this service."""
    return {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": settings.database_url,
        "PUBLIC_BASE_URL": settings.public_base_url,
        "EVENTS_URL": "amqp://127.0.0.1:1/",
        "IDENTITY_PUBLIC_KEYS": json.dumps(settings.identity_public_keys),
        "IDENTITY_PRIVATE_KEY": settings.identity_private_key,
        "SECRET_KEYS": json.dumps({v: base64.b64encode(k).decode() for v, k in settings.secret_keys.items()}),
        "WEBHOOKS_ALLOWED_NETWORKS": ",".join(str(network) for network in settings.allowed_networks),
        "WEBHOOKS_ALLOWED_HTTP_HOSTS": ",".join(settings.allowed_http_hosts),
        "DELIVER_THREADS": str(settings.deliver_threads),
        "LOG_LEVEL": "debug",
    }


@pytest.fixture
def tenant_id() -> int:
    """A tenant that no other test knows."""
    return next(_tenants)


@pytest.fixture
def call(client: FlaskClient, tenant_id: int, gateway_token: Callable[..., str]) -> Callable[..., Any]:
    """``call("POST", "/webhook-endpoints", {...}, key="k")`` as this test's tenant; keywords go to the client."""

    def call_as_gateway(
        method: str, path: str, body: Any = None, *, key: str | None = None, tenant: int = 0, **options: Any
    ) -> Any:
        headers = {"Authorization": f"Bearer {gateway_token('webhooks', tenant_id=tenant or tenant_id)}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        if body is not None:
            options["json"] = body
        return client.open(f"/v1{path}", method=method, headers={**headers, **options.pop("headers", {})}, **options)

    return call_as_gateway


@pytest.fixture
def purchase(tenant_id: int) -> Callable[..., Message]:
    """``purchase()``: a new event of this test's tenant; keywords replace its fields."""

    def make(**fields: Any) -> Message:
        usual: dict[str, Any] = {
            "id": uuid4(),
            "event": "loyalty.points_earned",
            "publisher": "programs",
            "tenant_id": tenant_id,
            "version": None,
            "created_at": datetime.now(UTC),
            "data": {"id": 502, "points_delta": 2, "amount": "24.50", "customer": {"id": 1042, "name": "Zoë Ünsal"}},
        }
        return Message(**{**usual, **fields})

    return make


@dataclass(frozen=True)
class Received:
    """A request as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float


@dataclass
class Receiver:
    """An integrator's endpoint. ``answer`` maps a request to status, headers and body."""

    url: str = ""
    arrived: int = 0
    received: list[Received] = field(default_factory=list)
    answer: Callable[[Received], tuple[int, dict[str, str], bytes]] = lambda _: (200, {}, b"ok")

    def wait_for(self, count: int, *, within_s: float = 20.0) -> list[Received]:
        deadline = time.monotonic() + within_s
        while len(self.received) < count:
            assert time.monotonic() < deadline, f"{len(self.received)} of {count} deliveries came in {within_s} s"
            time.sleep(0.005)
        return list(self.received)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A well-behaved receiver on loopback that keeps connections open."""
    receiver = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            received = Received(self.path, headers, body, time.time())
            receiver.arrived += 1
            status, headers, answer = receiver.answer(received)
            receiver.received.append(received)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(answer)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 128
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()
