"""What goes on from one piece of work to the next, with and without somebody to send spans to."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from loyalty_common import tracing
from loyalty_common.messaging.judgement import judge
from loyalty_common.messaging.message import Message
from loyalty_common.messaging.outbox import outbox_row
from loyalty_testing.collector import Collector, collecting
from loyalty_testing.machine import free_port

TRACE = "0af7651916cd43dd8448eb211c80319c"
SAMPLED, UNSAMPLED = f"00-{TRACE}-b7ad6b7169203331-01", f"00-{TRACE}-b7ad6b7169203331-00"
WORK = """
import sys
from loyalty_common import tracing
tracing.start("programs", sys.argv[1])
span = tracing.begin("work", kind="server", parent=sys.argv[2] or None)
print(span.traceparent)
span.end(name="POST /v1/cards", failed=True, status=503, tenant_id=None)
print(any(name.startswith("opentelemetry") for name in sys.modules))
"""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


def work(endpoint: str, parent: str) -> tuple[str, bool]:
    """What a process hands on, and whether it has loaded OpenTelemetry."""
    ran = subprocess.run([sys.executable, "-c", WORK, endpoint, parent], capture_output=True, text=True, check=True)
    handed_on, has_loaded = ran.stdout.split()
    return handed_on, has_loaded == "True"


def test_without_a_collector_a_trace_goes_on_as_it_came_and_nothing_is_loaded() -> None:
    assert work("", SAMPLED) == (SAMPLED, False)
    assert work("", "") == ("None", False)


def test_a_span_goes_between_its_cause_and_what_it_causes(collector: Collector) -> None:
    handed_on, _ = work(collector.url, SAMPLED)
    [span] = collector.spans
    assert (span.service, span.name, span.trace_id, span.parent_id) == (
        "programs",
        "POST /v1/cards",
        TRACE,
        "b7ad6b7169203331",
    )
    assert handed_on == f"00-{TRACE}-{span.span_id}-01"
    assert span.failed
    assert span.attributes == {"loyalty.status": 503}


def test_a_trace_that_nobody_samples_goes_on_unsampled(collector: Collector) -> None:
    handed_on, _ = work(collector.url, UNSAMPLED)
    assert handed_on.startswith(f"00-{TRACE}-")
    assert handed_on.endswith("-00")
    assert collector.spans == []


@pytest.mark.parametrize("parent", ["", "nonsense", f"00-{'0' * 32}-b7ad6b7169203331-01"])
def test_without_a_valid_cause_a_trace_begins(collector: Collector, parent: str) -> None:
    handed_on, _ = work(collector.url, parent)
    [span] = collector.spans
    assert span.parent_id == ""
    assert handed_on.startswith(f"00-{span.trace_id}-{span.span_id}-")
    assert int(handed_on[-2:], 16) & 1


def test_a_collector_that_is_away_holds_up_no_process_that_ends() -> None:
    started = time.monotonic()
    work(f"http://127.0.0.1:{free_port()}", SAMPLED)
    assert time.monotonic() - started < 20


def test_an_event_remembers_the_work_that_caused_it() -> None:
    def row() -> dict[str, object]:
        return outbox_row(event="customer.created", data={}, created_at=datetime.now(UTC))

    tracing.enter(tracing.Span(SAMPLED))
    caused = row()
    tracing.leave()
    assert [caused["traceparent"], row()["traceparent"]] == [SAMPLED, None]


def test_each_message_is_handled_in_the_trace_that_it_came_with() -> None:
    at = datetime.now(UTC)
    messages = [
        Message(uuid.uuid4(), "customer.created", "customers", 1, 1, at, {}, cause) for cause in (SAMPLED, None)
    ]
    handled: list[str | None] = []
    judge(lambda batch: handled.extend(message.traceparent for message in batch), messages)
    assert handled == [SAMPLED, None]
