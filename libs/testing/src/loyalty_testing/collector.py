"""A collector of traces: a real server that takes OTLP over HTTP and keeps the spans it was sent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_T = TypeVar("_T")


@dataclass(frozen=True)
class Collected:
    """One span; ids in hex, ``parent_id`` empty where a trace begins."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    failed: bool
    attributes: dict[str, Any]


class Collector:
    def __init__(self, url: str) -> None:
        self.url = url
        self.bodies: list[bytes] = []
        self._spans: list[Collected] = []
        self._arrived = threading.Condition()

    def keep(self, body: bytes) -> None:
        with self._arrived:
            self.bodies.append(body)
            self._spans += _spans(body)
            self._arrived.notify_all()

    @property
    def spans(self) -> list[Collected]:
        with self._arrived:
            return list(self._spans)

    def wait_for(self, find: Callable[[list[Collected]], _T], *, timeout_s: float = 60) -> _T:
        """What ``find`` sees in all spans, as soon as it is something; ``TimeoutError`` if it never is."""
        deadline = time.monotonic() + timeout_s
        with self._arrived:
            while not (found := find(self._spans)):
                if not self._arrived.wait(deadline - time.monotonic()):
                    raise TimeoutError(f"not in {len(self._spans)} spans")
            return found


def _spans(body: bytes) -> Iterator[Collected]:
    request = ExportTraceServiceRequest.FromString(body)
    for of_process in request.resource_spans:
        resource = _attributes(of_process.resource.attributes)
        for scope in of_process.scope_spans:
            for span in scope.spans:
                yield Collected(
                    service=resource["service.name"],
                    name=span.name,
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    failed=span.status.code == span.status.STATUS_CODE_ERROR,
                    attributes=_attributes(span.attributes),
                )


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on a free port of this machine, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            collector.keep(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    collector = Collector(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
