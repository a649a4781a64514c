"""What a process shows to Prometheus, read over HTTP as Prometheus does."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
import requests
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from loyalty_common import metrics, web
from loyalty_common.figures import pool_figures
from loyalty_common.identity import TokenVerifier

Scrape = Callable[..., dict[tuple[str, ...], float]]


def scraped(port: int) -> dict[tuple[str, ...], float]:
    """Values by name and labels' values."""
    families = text_string_to_metric_families(requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text)
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


@pytest.fixture
def free_port() -> int:
    """A port after which another is free too."""
    while True:
        with closing(socket.socket()) as first, closing(socket.socket()) as second:
            first.bind(("", 0))
            port = int(first.getsockname()[1])
            try:
                second.bind(("", port + 1))
            except (OSError, OverflowError):
                continue
            return port


@pytest.fixture
def serve() -> Iterator[Callable[..., bool]]:
    ends = []

    def start(port: int, *collectors: Collector, workers: int = 1) -> bool:
        if end := metrics.serve(port, *collectors, workers=workers):
            ends.append(end)
        return end is not None

    yield start
    for end in ends:
        end()


def test_requests_are_counted_by_their_route(serve: Any, free_port: int) -> None:
    app = Flask("shop")
    web.install(app, verifier=TokenVerifier("shop", {}))
    serve(free_port)
    app.add_url_rule("/things/<id:thing_id>", view_func=lambda thing_id: str(thing_id), endpoint="thing")
    client = app.test_client()
    for path in ("/things/1", "/things/2", "/nowhere/1", "/nowhere/2"):
        client.get(path)
    client.open("/things/1", method="BREW")
    shown = scraped(free_port)
    name = "loyalty_http_request_duration_seconds_count"
    assert shown[(name, "GET", "/things/<id:thing_id>", "200")] == 2
    assert shown[(name, "", "unmatched", "404")] >= 2
    assert not [labels for labels in shown if "BREW" in labels or "/nowhere/1" in labels]


def test_connections_in_use_are_those_that_are_held(serve: Any, free_port: int, ledger: Any) -> None:
    serve(free_port, pool_figures(ledger.engine))
    with ledger.engine.connect(), ledger.engine.connect():
        assert scraped(free_port)[("loyalty_database_pool_in_use",)] == 2
    shown = scraped(free_port)
    assert shown[("loyalty_database_pool_in_use",)] == 0
    assert shown[("loyalty_database_pool_size",)] == 40


def test_figures_that_cannot_be_had_do_not_hide_the_others(serve: Any, free_port: int) -> None:
    def ask() -> list[Any]:
        raise ConnectionError

    serve(free_port, metrics.Asked(ask), metrics.Asked(lambda: [metrics.gauge("had", "Had.", 3)]))
    assert scraped(free_port)[("had",)] == 3


def test_each_worker_takes_a_port_and_one_too_many_goes_without(serve: Any, free_port: int) -> None:
    assert [serve(free_port, workers=2) for _ in range(3)] == [True, True, False]
    assert scraped(free_port)
    assert scraped(free_port + 1)


def test_without_a_port_nothing_is_served(serve: Any) -> None:
    assert not serve(0)
