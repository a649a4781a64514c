"""Spans by OpenTelemetry, sent over OTLP/HTTP. Only ``tracing`` loads this, where an endpoint is configured.

Which traces are sampled, headers for the collector and the like are the SDK's own variables (``OTEL_…``): by default a
trace that comes with its flag unset is not exported, every other one is.
"""

from __future__ import annotations

import logging

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span as Recorded
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from loyalty_common.tracing import Attribute, Begin, Span

# A collector that is away must hold up no process that stops.
_PATIENCE_S = 3.0
_W3C = TraceContextTextMapPropagator()


class _Exported(Span):
    __slots__ = ("_recorded",)
    is_exported = True

    def __init__(self, recorded: Recorded) -> None:
        made = recorded.get_span_context()
        super().__init__(f"00-{made.trace_id:032x}-{made.span_id:016x}-{made.trace_flags:02x}")
        self._recorded = recorded

    def end(self, *, name: str | None = None, failed: bool = False, **attributes: Attribute) -> None:
        if name is not None:
            self._recorded.update_name(name)
        known = {f"loyalty.{name}": value for name, value in attributes.items() if value is not None}
        self._recorded.set_attributes(known)
        if failed:
            self._recorded.set_status(StatusCode.ERROR)
        self._recorded.end()


def exporting(service: str, endpoint: str) -> Begin:
    # Its failures are repeated every few seconds, and each retry of one, too.
    logging.getLogger("opentelemetry").setLevel(logging.ERROR)
    resource = Resource.create({"service.namespace": "loyalty", "service.name": service})
    provider = TracerProvider(resource=resource)
    exporter = OTLPSpanExporter(f"{endpoint}/v1/traces", timeout=_PATIENCE_S)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("loyalty")

    def begin(name: str, kind: str, parent: str | None) -> Span:
        context = _W3C.extract({"traceparent": parent} if parent else {}, Context())
        return _Exported(tracer.start_span(name, context, SpanKind[kind.upper()]))

    return begin
