"""A real gateway process, and ways to talk to it."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from loyalty_testing.machine import free_port

SERVICES = ("CUSTOMERS", "PROGRAMS", "VOUCHERS", "WEBHOOKS", "GATEWAY_INTERNAL")


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

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def say(self, data: bytes) -> bytes:
        """Raw bytes in, everything that comes back until the gateway closes the connection or falls silent."""
        with self.connect() as sock:
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


def _operation(scope: str, kind: str, *, timeout_s: int = 1) -> dict[str, Any]:
    rules = {"scope": scope, "class": kind, "timeout_s": timeout_s}
    return {"x-loyalty": rules, "responses": {"200": {"description": "OK"}}}


@pytest.fixture(scope="session")
def openapi_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("openapi")
    read, write = _operation("programs:read", "read"), _operation("programs:write", "write")
    programs = {
        "/v1/loyalty-cards": {"get": read, "post": write},
        "/v1/loyalty-cards/{loyalty_card_id}": {"get": read, "patch": write},
        "/v1/loyalty-cards/{loyalty_card_id}/transactions": {"get": read, "post": write},
        "/v1/stamp-cards": {"get": _operation("programs:read", "read", timeout_s=30)},
        "/internal/events": {"post": {"responses": {}}},
    }
    customers = {"/v1/customers/{customer_id}": {"delete": _operation("customers:write", "write")}}
    upload = _operation("customers:write", "write", timeout_s=5)
    upload["x-loyalty"] |= {"media_types": ["text/csv", "application/x-ndjson"], "limit_bytes": 3 * 2**20}
    customers["/v1/imports"] = {"post": upload}
    account = {"/v1/partner-locations": {"get": _operation("account:read", "read")}}
    documents = {"programs": programs, "customers": customers, "vouchers": {}, "webhooks": {}, "gateway": account}
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
    """``start_gateway(PROGRAMS_URL=…)``: a process of its own, ready, ended with the test run; ``serve`` or another."""
    with ExitStack() as stack:

        def start(process: str = "serve", **settings: str) -> Gateway:
            log_file = tmp_path_factory.mktemp("gateway") / "log"
            port = free_port()
            process_environment = {
                **environment,
                **{
                    f"{name}_URL": "http://127.0.0.1:9"
                    for name in ("CUSTOMERS", "PROGRAMS", "VOUCHERS", "WEBHOOKS", "GATEWAY_INTERNAL")
                },
                "BIND": f"127.0.0.1:{port}",
                "FORWARD_AUTH_BIND": f"127.0.0.1:{port}",
                "PUBLIC_BASE_URL": "https://api.example.com/api/v1",
                "OPENAPI_DIR": str(openapi_folder),
                "IDENTITY_PRIVATE_KEY": identity_keys.private_key("gateway"),
                **settings,
            }
            return stack.enter_context(_running(process, process_environment, port, log_file))

        yield start


@contextmanager
def _running(command: str, environment: dict[str, str], port: int, log_file: Path) -> Iterator[Gateway]:
    with log_file.open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "loyalty_gateway", command], env=environment, stderr=log)
    gateway = Gateway(port, process, log_file)
    try:
        deadline = time.monotonic() + 90
        while not _is_ready(gateway):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the gateway did not start:\n{gateway.log()}")
            time.sleep(0.05)
        yield gateway
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)
    # Whatever the tests did to it: no key is in its log, and of a session's token no more than its kid.
    assert not re.search(r"lpk_|lps_\w{11}", gateway.log())


def _is_ready(gateway: Gateway) -> bool:
    try:
        return gateway.ask("GET", "/readyz").status == 200
    except OSError:
        return False


@pytest.fixture(scope="session")
def gateway(start_gateway: Callable[..., Gateway], upstream_server: Any) -> Gateway:
    """The gateway of most tests: one worker, limits in process, programs and customers behind it."""
    return start_gateway(PROGRAMS_URL=upstream_server.url, CUSTOMERS_URL=upstream_server.url)


@pytest.fixture(scope="session")
def demo_key(new_key: Callable[..., dict[str, Any]]) -> str:
    """A key whose limits no test reaches."""
    key: str = new_key("demo")["key"]
    return key
