"""Traces: every piece of work hands a W3C ``traceparent`` on to what it causes.

    gateway → service → row of the outbox → message → consumer → delivery → attempt

Where an exporter was started, each of these but row and message is a span. Where none was, a ``traceparent`` goes on as
it came, which still joins the lines of all logs, and nothing of OpenTelemetry is loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import ClassVar

Attribute = str | int | float | bool | None
Begin = Callable[[str, str, str | None], "Span"]


class Span:
    """Work under way. ``traceparent`` is what it hands on; ``None`` if it belongs to no trace.

    ``is_exported``: whether anybody will read what ``end`` is told, where that is to be gathered first.
    """

    __slots__ = ("traceparent",)
    is_exported: ClassVar[bool] = False

    def __init__(self, traceparent: str | None) -> None:
        self.traceparent = traceparent

    def end(self, *, name: str | None = None, failed: bool = False, **attributes: Attribute) -> None:
        """``name`` where it is known only now.

        ``attributes`` leave the suite: numbers, names of our own and ids, never what somebody sent us.
        """


def _hand_on(_name: str, _kind: str, parent: str | None) -> Span:
    return Span(parent)


_begin: Begin = _hand_on
_under_way: ContextVar[str | None] = ContextVar("traceparent", default=None)


def start(service: str, endpoint: str) -> None:
    """Export spans from now on, if there is an endpoint. In the process that works: its thread survives no fork."""
    global _begin
    if endpoint:
        from loyalty_common.otlp import exporting  # noqa: PLC0415 (40 modules, for those who want them)

        _begin = exporting(service, endpoint)


def begin(name: str, *, kind: str, parent: str | None) -> Span:
    """``kind``: server, client or consumer. Without a valid ``parent`` a trace begins, if spans are exported."""
    return _begin(name, kind, parent)


def enter(span: Span) -> None:
    """What this thread causes from now on is caused by ``span``."""
    _under_way.set(span.traceparent)


def leave() -> None:
    _under_way.set(None)


def traceparent() -> str | None:
    """What the work that this thread is doing hands on."""
    return _under_way.get()


def trace_id(traceparent: str | None) -> str | None:
    """For the lines of logs."""
    return traceparent[3:35] if traceparent else None
