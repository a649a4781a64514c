"""W3C Trace Context: a valid trace goes on, an invalid one begins anew."""

import re

import pytest

CARDS = "/api/v1/loyalty-cards"
TRACE = "0af7651916cd43dd8448eb211c80319c"
VALID = f"00-{TRACE}-b7ad6b7169203331-01"
FRESH = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00")


def forwarded(gateway, upstream, key, *lines):
    """What a service is told of the trace of a request with these header lines."""
    head = [f"GET {CARDS} HTTP/1.1", "Host: a", "Connection: close", f"Authorization: Bearer {key}", *lines]
    assert gateway.say("\r\n".join([*head, "", ""]).encode()).startswith(b"HTTP/1.1 200 ")
    headers = upstream.received.pop().headers
    return headers["traceparent"], headers.get("tracestate")


@pytest.mark.parametrize("parent", [VALID, f"00-{TRACE}-b7ad6b7169203331-00", f"cc-{TRACE}-b7ad6b7169203331-01-later"])
def test_a_valid_trace_goes_on_with_its_state(gateway, upstream, demo_key, parent):
    lines = [f"traceparent: {parent}", "tracestate: till=1", "tracestate: shop=2"]
    assert forwarded(gateway, upstream, demo_key, *lines) == (parent, "till=1,shop=2")
    assert gateway.lines(event="request", trace_id=TRACE)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["traceparent:"],
        [f"traceparent: {VALID.upper()}"],
        [f"traceparent: ff{VALID[2:]}"],
        [f"traceparent: 00-{'0' * 32}-b7ad6b7169203331-01"],
        [f"traceparent: 00-{TRACE}-{'0' * 16}-01"],
        [f"traceparent: {VALID}-later"],
        [f"traceparent: {VALID[:-1]}"],
        [f"traceparent: {VALID}", f"traceparent: {VALID}"],
        [f"traceparent: cc{VALID[2:]}-{'x' * 600}"],
    ],
)
def test_anything_else_begins_a_trace_of_its_own_without_state(gateway, upstream, demo_key, lines):
    first, state = forwarded(gateway, upstream, demo_key, *lines, "tracestate: till=1")
    again, _ = forwarded(gateway, upstream, demo_key, *lines)
    assert FRESH.fullmatch(first)
    assert FRESH.fullmatch(again)
    assert TRACE not in first
    assert first != again
    assert state is None
