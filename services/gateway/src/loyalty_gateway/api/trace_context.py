"""W3C Trace Context at the door: a valid ``traceparent`` is continued, anything else begins a new trace."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Any

from loyalty_common.tracing import Span

_TRACEPARENT = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?", re.ASCII
)
_LONGEST = 512


def given(environ: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A valid ``traceparent``, with ``tracestate`` if it has one; or nothing. Two come joined, which is invalid."""
    given = environ.get("HTTP_TRACEPARENT", "")
    found = _TRACEPARENT.fullmatch(given) if len(given) <= _LONGEST else None
    # Version 00 ends with its flags; what a later one adds is not for us to judge.
    if found is None or (found[1] == "00" and found[2]):
        return []
    state = environ.get("HTTP_TRACESTATE", "")
    return [("traceparent", given), ("tracestate", state)] if 0 < len(state) <= _LONGEST else [("traceparent", given)]


def handed_on(span: Span, came: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """What a service is told. Without a span of our own a new trace is one that nobody samples."""
    if (traceparent := span.traceparent) is None:
        ids = f"{random.getrandbits(192):048x}"
        traceparent = f"00-{ids[:32]}-{ids[32:]}-00"
    return [("traceparent", traceparent), *came[1:]]
