"""What Prometheus reads of a process: ``/metrics`` on a port of its own, to which no door of the API leads.

Each process has one registry, and figures that belong to a database or a broker are asked for when somebody looks.
prometheus_client's shared files for several workers know no such figures, and leave those of dead workers behind:
hence a port per worker.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from wsgiref.simple_server import WSGIServer

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, Histogram, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_log = structlog.get_logger()
_is_served = False
_REQUESTS = Histogram(
    "loyalty_http_request_duration_seconds",
    "From the arrival of a request to the head of its answer.",
    ("method", "route", "status"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


class Asked(Collector):
    """Figures that are asked for at each scrape; those that cannot be had are left out, and the others shown."""

    def __init__(self, ask: Callable[[], Iterable[Metric]]) -> None:
        self._ask = ask

    def describe(self) -> Iterable[Metric]:
        """Nothing: to register must not ask."""
        return ()

    def collect(self) -> Iterator[Metric]:
        try:
            figures = list(self._ask())
        except Exception as error:
            _log.warning("figures_not_had", error=type(error).__name__)
            return
        yield from figures


def observe_request(*, method: str, route: str | None, status: int, duration_s: float) -> None:
    """``route`` is a template. Without one the method too is whatever a client made up: neither becomes a label.

    Where nobody can look, nothing is counted: it would cost the door a hundredth of its speed.
    """
    if not _is_served:
        return
    labels = (method, route) if route else ("", "unmatched")
    _REQUESTS.labels(*labels, str(status)).observe(duration_s)


def gauge(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(name, documentation, value=value)


def serve(port: int, *collectors: Collector, workers: int = 1) -> Callable[[], None] | None:
    """Answer scrapes until the function that is returned is called; ``port`` 0 is no metrics.

    Of several workers each takes the first port that is free of ``port`` … ``port + workers - 1``. To be called
    after the fork, in the worker: threads do not survive it.
    """
    global _is_served
    if not port:
        return None
    shown = CollectorRegistry()
    for collector in (REGISTRY, *collectors):
        shown.register(collector)
    for candidate in range(port, port + workers):
        try:
            server, thread = start_http_server(candidate, registry=shown)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            _is_served = True
            return partial(_end, server, thread)
    # Figures are no reason to answer no requests.
    _log.error("metrics_port_taken", port=port, workers=workers)
    return None


def _end(server: WSGIServer, thread: threading.Thread) -> None:
    server.shutdown()
    server.server_close()
    thread.join()
