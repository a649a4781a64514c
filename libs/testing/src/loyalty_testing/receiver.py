"""An integrator's webhook endpoint: a real HTTP server that keeps what it was sent."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    """One request as it came in; ``at`` is ``time.time()`` at its first byte."""

    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def envelope(self) -> dict[str, Any]:
        envelope: dict[str, Any] = json.loads(self.body)
        return envelope

    def is_signed_with(self, secret: str) -> bool:
        """The reference's own words: HMAC-SHA256(timestamp + "." + raw_body, signing_secret), in hex."""
        signed = self.headers["x-loyalty-timestamp"].encode() + b"." + self.body
        expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected, self.headers["x-loyalty-signature"])


class Receiver:
    """Answers ``status`` to everything and remembers it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.status = 204
        self._received: list[Received] = []
        self._arrived = threading.Condition()

    def keep(self, received: Received) -> None:
        with self._arrived:
            self._received.append(received)
            self._arrived.notify_all()

    @property
    def received(self) -> list[Received]:
        with self._arrived:
            return list(self._received)

    def wait_for(self, enough: Callable[[list[Received]], bool], *, timeout_s: float = 30) -> list[Received]:
        """What came so far, as soon as it is enough; ``TimeoutError`` if it never is."""
        deadline = time.monotonic() + timeout_s
        with self._arrived:
            if not self._arrived.wait_for(lambda: enough(self._received), deadline - time.monotonic()):
                raise TimeoutError(f"only {len(self._received)} deliveries came")
            return list(self._received)

    def events(self, name: str, count: int = 1, *, timeout_s: float = 30) -> list[Received]:
        """At least ``count`` deliveries of one event type."""

        def of_that_name(received: list[Received]) -> list[Received]:
            return [one for one in received if one.headers["x-loyalty-event"] == name]

        return of_that_name(self.wait_for(lambda all_: len(of_that_name(all_)) >= count, timeout_s=timeout_s))


@contextmanager
def receiving(host: str = "127.0.0.1") -> Iterator[Receiver]:
    """A receiver on a free port of ``host``, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            at = time.time()
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.keep(Received({name.lower(): value for name, value in self.headers.items()}, body, at))
            self.send_response(receiver.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the deliveries are kept, not told."""

    server = _Server((host, 0), Handler)
    receiver = Receiver(f"http://{host}:{server.server_address[1]}/hook")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A sender that is killed breaks its connection; that is what these tests are about."""
