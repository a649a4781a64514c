"""A service behind the gateway that does what a test tells it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Received:
    """A request as it came out of the gateway; headers by their lower-case names."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class Upstream:
    """Answers 200 ``{}`` unless ``behave`` is set, and remembers what it was asked."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.behave: Callable[[BaseHTTPRequestHandler], None] | None = None
        self._server = Server(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def reset(self) -> None:
        self.received.clear()
        self.behave = None

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def reply(
        self, handler: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str] | None = None
    ) -> None:
        handler.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                body = _body_of(self)
                if body is None:
                    self.close_connection = True
                    return
                headers = {name.lower(): value for name, value in self.headers.items()}
                upstream.received.append(Received(self.command, self.path, headers, body, self.client_address[1]))
                if upstream.behave is None:
                    upstream.reply(self, 200, b"{}")
                else:
                    upstream.behave(self)

            do_GET = do_POST = do_PATCH = do_DELETE = do_HEAD = do_PUT = handle_any

            def log_message(self, *_: Any) -> None: ...

        return Handler


def _body_of(handler: BaseHTTPRequestHandler) -> bytes | None:
    """None if it was given up in the middle."""
    if handler.headers.get("Transfer-Encoding") != "chunked":
        return handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
    body = b""
    while size := int(handler.rfile.readline() or b"-1", 16):
        if size < 0:
            return None
        body += handler.rfile.read(size)
        handler.rfile.readline()
    handler.rfile.readline()
    return body
