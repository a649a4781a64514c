"""One line per request, in the form of the suite's other lines but written in one call: this is the hot path."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import Any

import orjson

_STDERR = 2
_OF_TRACE = ("method", "route", "status", "error", "request_id", "organization_id", "tenant_id", "kid", "upstream")


class Line:
    """Collects what one request's line will tell. Never the key, never the query: it may hold an e-mail address."""

    __slots__ = ("fields", "started")

    def __init__(self, *, method: str, request_id: str, address: str) -> None:
        self.started = time.perf_counter()
        self.fields: dict[str, Any] = {
            "event": "request",
            "service": "gateway",
            "level": "info",
            "method": method,
            "request_id": request_id,
            "address": address,
        }

    def tell(self, **fields: Any) -> None:
        self.fields.update(fields)

    def write(self, *, status: int) -> float:
        """How long it took so far, in seconds."""
        fields, duration_s = self.fields, time.perf_counter() - self.started
        fields["status"] = status
        fields["duration_ms"] = round(duration_s * 1000, 2)
        fields["timestamp"] = datetime.now(UTC)
        os.write(_STDERR, orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE))
        return duration_s

    def of_trace(self) -> dict[str, Any]:
        """What of the line goes into a trace, which leaves the suite: not from where somebody called."""
        return {name: self.fields.get(name) for name in _OF_TRACE}
