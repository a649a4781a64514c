"""What the door shows to Prometheus, on a port of its own, and tells a collector of traces."""

import re

import pytest
import requests

from loyalty_testing.collector import collecting
from loyalty_testing.machine import free_port

CARDS = "/api/v1/loyalty-cards"


@pytest.mark.parametrize("process", ["serve", "forward-auth"])
def test_requests_are_counted_by_route_and_what_was_made_up_is_none(start_gateway, upstream, demo_key, process):
    port = free_port()
    gateway = start_gateway(process, PROGRAMS_URL=upstream.url, METRICS_PORT=str(port))
    for path in (CARDS, CARDS, "/api/v1/made-up"):
        asked_for = {"X-Original-URI": path, "X-Original-Method": "GET"}
        gateway.ask("GET", path if process == "serve" else "/_authz", key=demo_key, headers=asked_for)
    shown = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
    counts = dict(re.findall(r"loyalty_http_request_duration_seconds_count\{(.*)\} (.*)", shown))
    assert counts['method="GET",route="/v1/loyalty-cards",status="200"'] == "2.0"
    assert 'method="",route="unmatched",status="404"' in counts
    assert "made-up" not in shown
    assert "loyalty_database_pool_size 10.0" in shown
    assert gateway.ask("GET", "/metrics").status == 404


def test_the_door_leaves_at_once_though_its_collector_is_away(start_gateway, upstream, demo_key):
    away = f"http://127.0.0.1:{free_port()}"
    gateway = start_gateway(PROGRAMS_URL=upstream.url, OTEL_EXPORTER_OTLP_ENDPOINT=away)
    assert gateway.ask("GET", CARDS, key=demo_key).status == 200
    gateway.process.terminate()
    assert gateway.process.wait(20) == 0


def test_spans_of_the_door_are_exported_by_each_of_its_workers(start_gateway, upstream, demo_key):
    with collecting() as collector:
        to_collector = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        gateway = start_gateway(PROGRAMS_URL=upstream.url, WEB_WORKERS="2", **to_collector)
        for _ in range(20):
            assert gateway.ask("GET", CARDS, key=demo_key).status == 200
        spans = collector.wait_for(lambda spans: list(spans) if len(spans) >= 20 else [])
        assert {span.attributes["loyalty.status"] for span in spans} == {200}
        assert {received.headers["traceparent"][36:52] for received in upstream.received} == {
            span.span_id for span in spans
        }
