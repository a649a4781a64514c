"""A real gateway process before a real upstream that does what a test tells it."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from loyalty_common.testing.machine import free_port


@dataclass
class Received:
    """A request as it came out of the gateway; headers by their lower-case names."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int


class Upstream:
    """Answers 200 ``{}`` unless ``behave`` is set, and remembers what it was asked."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.behave: Callable[[BaseHTTPRequestHandler], None] | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def reset(self) -> None:
        self.received.clear()
        self.behave = None

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                upstream.received.append(Received(self.command, self.path, headers, body, self.client_address[1]))
                if upstream.behave is None:
                    reply(self, 200, b"{}")
                else:
                    upstream.behave(self)

            do_GET = do_POST = do_PATCH = do_DELETE = do_HEAD = do_PUT = handle_any

            def log_message(self, *_: Any) -> None: ...

        return Handler


def reply(handler: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
    handler.send_response(status)
    for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(body)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    raw_headers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Gateway:
    port: int
    process: subprocess.Popen[bytes]
    log_file: Path

    def ask(
        self,
        method: str,
        target: str,
        *,
        key: str | None = None,
        headers: dict[str, str] | None = None,
        body: bytes | str | None = None,
    ) -> Answer:
        """One request on a connection of its own; the target goes out as it is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        sent = dict(headers or {})
        if key is not None:
            sent["Authorization"] = f"Bearer {key}"
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, target, body=body, headers=sent)
            response = connection.getresponse()
            raw = response.getheaders()
            return Answer(response.status, {n.lower(): v for n, v in raw}, response.read(), raw)
        finally:
            connection.close()

    def say(self, data: bytes) -> bytes:
        """Raw bytes in, everything that comes back until the gateway closes the connection or falls silent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as sock:
            sock.sendall(data)
            received = b""
            while piece := sock.recv(65536):
                received += piece
            return received

    def log(self) -> str:
        return self.log_file.read_text()

    def lines(self, **fields: Any) -> list[dict[str, Any]]:
        """Log lines that have these fields."""
        parsed = [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]
        return [line for line in parsed if all(line.get(name) == value for name, value in fields.items())]


@pytest.fixture(scope="session")
def openapi_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("openapi")
    operation = lambda scope, kind: {  # noqa: E731
        "x-loyalty": {"scope": scope, "class": kind, "timeout_s": 1},
        "responses": {"200": {"description": "OK"}},
    }
    read, write = operation("programs:read", "read"), operation("programs:write", "write")
    programs = {
        "/v1/loyalty-cards": {"get": read, "post": write},
        "/v1/loyalty-cards/{loyalty_card_id}": {"get": read, "patch": write},
        "/v1/loyalty-cards/{loyalty_card_id}/transactions": {"get": read, "post": write},
        "/internal/events": {"post": {"responses": {}}},
    }
    customers = {"/v1/customers/{customer_id}": {"delete": operation("customers:write", "write")}}
    documents = {"programs": programs, "customers": customers, "vouchers": {}, "webhooks": {}}
    for service, paths in documents.items():
        (folder / f"{service}.json").write_text(json.dumps({"openapi": "3.1.0", "paths": paths}))
    return folder


@pytest.fixture(scope="session")
def start_gateway(
    environment: dict[str, str],
    identity_keys: Any,
    openapi_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[..., Gateway]]:
    """``start_gateway(PROGRAMS_URL=…)``: a process of its own, ready, ended with the test run."""
    with ExitStack() as stack:

        def start(**settings: str) -> Gateway:
            log_file = tmp_path_factory.mktemp("gateway") / "log"
            port = free_port()
            process_environment = {
                **environment,
                **{f"{name}_URL": "http://127.0.0.1:9" for name in ("CUSTOMERS", "PROGRAMS", "VOUCHERS", "WEBHOOKS")},
                "BIND": f"127.0.0.1:{port}",
                "PUBLIC_BASE_URL": "https://api.example.com/api/v1",
                "OPENAPI_DIR": str(openapi_folder),
                "IDENTITY_PRIVATE_KEY": identity_keys.private_key("gateway"),
                **settings,
            }
            return stack.enter_context(_running(process_environment, port, log_file))

        yield start


@contextmanager
def _running(environment: dict[str, str], port: int, log_file: Path) -> Iterator[Gateway]:
    with log_file.open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "loyalty_gateway", "serve"], env=environment, stderr=log)
    gateway = Gateway(port, process, log_file)
    try:
        deadline = time.monotonic() + 30
        while not _is_ready(gateway):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the gateway did not start:\n{gateway.log()}")
            time.sleep(0.05)
        yield gateway
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


def _is_ready(gateway: Gateway) -> bool:
    try:
        return gateway.ask("GET", "/readyz").status == 200
    except OSError:
        return False


@pytest.fixture(scope="session")
def upstream_server() -> Iterator[Upstream]:
    upstream = Upstream()
    yield upstream
    upstream.close()


@pytest.fixture
def upstream(upstream_server: Upstream) -> Upstream:
    upstream_server.reset()
    return upstream_server


@pytest.fixture(scope="session")
def gateway(start_gateway: Callable[..., Gateway], upstream_server: Upstream) -> Gateway:
    """The gateway of most tests: one worker, limits in process, programs and customers behind it."""
    return start_gateway(PROGRAMS_URL=upstream_server.url, CUSTOMERS_URL=upstream_server.url)


@pytest.fixture(scope="session")
def demo_key(new_key: Callable[..., dict[str, Any]]) -> str:
    """A key whose limits no test reaches."""
    key: str = new_key("demo")["key"]
    return key
