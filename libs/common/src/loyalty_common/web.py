"""The HTTP edge that every service has: who calls, what was sent, what went wrong, one log line.

Order of judgement: identity 401 → JSON 400 → path id 404 → fields 400 → (in the domain) idempotency → rules.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn

import structlog
from flask import Flask, Request, Response, current_app, g, request
from marshmallow import Schema, ValidationError
from webargs.flaskparser import FlaskParser
from werkzeug import exceptions
from werkzeug.routing import BaseConverter

from loyalty_common import envelope, errors, fields, metrics, strict_json, tracing
from loyalty_common.database import is_outage
from loyalty_common.idempotency import Reply, RequestKey, fingerprint
from loyalty_common.identity import GATEWAY, Identity, Organization, TokenVerifier

_log = structlog.get_logger()
_HTTP_ERRORS: Mapping[int, type[errors.ApiError]] = {
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    413: errors.PayloadTooLarge,
    415: errors.UnsupportedMediaType,
}
PathCheck = Callable[..., None]


@dataclass(slots=True)
class Call:
    """One request on its way through the edge. ``now`` is read once, here."""

    request_id: str
    now: datetime
    started: float
    span: tracing.Span
    identity: Identity | None = None
    body: Any = None
    unknown_fields: list[str] = field(default_factory=list)

    @property
    def caller(self) -> Identity:
        if self.identity is None:
            raise errors.Unauthenticated
        return self.identity

    @property
    def tenant_id(self) -> int:
        if self.caller.tenant_id is None:
            raise errors.Unauthenticated("This call names no tenant.")
        return self.caller.tenant_id

    @property
    def organization(self) -> Organization:
        if self.caller.organization is None:
            raise errors.Unauthenticated("This call names no organization.")
        return self.caller.organization


def current_call() -> Call:
    call: Call = g.call
    return call


class IdentifierConverter(BaseConverter):
    """Ids that we could have given out; anything else in their place is a path that does not exist."""

    regex = "[1-9][0-9]{0,17}"

    def to_python(self, value: str) -> int:
        return int(value)


def install(app: Flask, *, verifier: TokenVerifier, path_checks: Mapping[str, PathCheck] | None = None) -> None:
    """Give ``app`` the suite's edge. Call before blueprints are registered.

    ``path_checks`` maps a path parameter to a function that takes all of the path's parameters and raises
    ``NotFound``; asked only when the fields were refused, so that a good request costs no look-up.
    """
    app.url_map.converters["id"] = IdentifierConverter
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.extensions["loyalty_path_checks"] = path_checks or {}

    def begin() -> None:
        g.call = Call(
            request_id=envelope.request_id_from(request.headers.get("X-Request-Id")),
            now=datetime.now(UTC),
            started=time.perf_counter(),
            span=_span(),
        )
        tracing.enter(g.call.span)
        if request.path.startswith(("/v1/", "/internal/")):
            g.call.identity = _identify(verifier)

    app.before_request(begin)
    app.after_request(_finish)
    app.register_error_handler(Exception, _render)


def _identify(verifier: TokenVerifier) -> Identity:
    identity = verifier.verify(request.headers.get("Authorization"))
    if request.path.startswith("/internal/") == (identity.issuer == GATEWAY):
        raise errors.Unauthenticated("This identity does not open this door.")
    return identity


def _span() -> tracing.Span:
    """Whoever calls for somebody says in which trace. Probes and batches of events come without one, and begin none."""
    parent = request.headers.get("traceparent")
    if parent is None:
        return tracing.Span(None)
    return tracing.begin(f"{request.method} {_route()}", kind="server", parent=parent)


def _route() -> str | None:
    return request.url_rule.rule if request.url_rule else None


def _finish(response: Response) -> Response:
    call = current_call()
    response.headers["X-Request-Id"] = call.request_id
    tenant_id = call.identity.tenant_id if call.identity else None
    duration_s = time.perf_counter() - call.started
    route = _route()
    metrics.observe_request(method=request.method, route=route, status=response.status_code, duration_s=duration_s)
    _log.info(
        "request",
        method=request.method,
        route=route,
        status=response.status_code,
        duration_ms=round(duration_s * 1000, 2),
        request_id=call.request_id,
        # The gateway lets no traceparent pass that is not valid.
        trace_id=tracing.trace_id(call.span.traceparent),
        tenant_id=tenant_id,
    )
    failed = response.status_code >= 500
    call.span.end(failed=failed, status=response.status_code, request_id=call.request_id, tenant_id=tenant_id)
    tracing.leave()
    return response


def _render(error: Exception) -> Response:
    api_error = _as_api_error(error)
    body = envelope.failure(api_error, request_id=current_call().request_id)
    return Response(body, api_error.status, dict(api_error.headers), content_type="application/json")


def _as_api_error(error: Exception) -> errors.ApiError:
    if isinstance(error, errors.ApiError):
        return error
    if isinstance(error, ValidationError):
        return errors.ValidationFailed(details=fields.sentences(error.messages))
    if isinstance(error, exceptions.HTTPException):
        kind = _HTTP_ERRORS.get(error.code or 500)
        if kind is not None:
            allow = getattr(error, "valid_methods", None)
            return kind(headers={"Allow": ", ".join(sorted(allow))} if allow else {})
        if error.code == 400:
            return errors.MalformedJson("The request could not be read.")
    if is_outage(error):
        _log.warning("database_away", error=type(error).__name__, request_id=current_call().request_id)
        return errors.Unavailable()
    _log.error("request_failed", exc_info=error, request_id=current_call().request_id)
    return errors.ServerError()


class StrictParser(FlaskParser):
    """Reads bodies with ``strict_json`` and answers in the envelope."""

    DEFAULT_VALIDATION_STATUS = 400

    def load_json(self, req: Request, schema: Schema) -> Any:
        sent = req.get_data(cache=True)
        if not sent and isinstance(schema, fields.Schema) and schema.may_be_absent:
            return {}
        body = strict_json.loads(sent)
        if not isinstance(body, dict):
            raise errors.MalformedJson("The body must be a JSON object.")
        call = current_call()
        call.body = body
        call.unknown_fields = [name for name in body if name not in schema.fields]
        return body

    def handle_error(self, error: ValidationError, *_: Any, **__: Any) -> NoReturn:
        refuse_fields(fields.sentences(error.messages_dict[next(iter(error.messages_dict))]))


def refuse_fields(details: errors.Details) -> NoReturn:
    """400 with these sentences, unless the path itself names nothing: then 404 goes first."""
    parameters = request.view_args or {}
    checks: Mapping[str, PathCheck] = current_app.extensions["loyalty_path_checks"]
    for name in parameters:
        if name in checks:
            checks[name](**parameters)
    raise errors.ValidationFailed(details=details)


def request_key() -> RequestKey:
    """What makes this write one: the caller's Idempotency-Key, the gateway's own, or one made here."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        made = request.headers.get("X-Loyalty-Request-Key") or str(uuid.uuid4())
        return RequestKey(f"gateway:{made}", fingerprint(request.method, request.path, current_call().body))
    if not (1 <= len(key) <= 255 and key.isascii() and key.isprintable()):
        sentence = "The Idempotency-Key header must be 1 to 255 printable characters."
        raise errors.ValidationFailed(details={"Idempotency-Key": [sentence]})
    return RequestKey(f"client:{key}", fingerprint(request.method, request.path, current_call().body))


def respond(reply: Reply, *, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to a write, in the envelope; says so when it is a replay of a client's own key."""
    response = answer(reply.data, status=reply.status, meta=reply.meta)
    response.headers.update(headers or {})
    if reply.replayed and "Idempotency-Key" in request.headers:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def answer(data: Any, *, status: int = 200, meta: Mapping[str, Any] | None = None, links: Any = None) -> Response:
    call = current_call()
    extra = dict(meta or {})
    if call.unknown_fields:
        extra["warnings"] = [
            {"field": name, "message": f"The {name} field is unknown and was ignored."} for name in call.unknown_fields
        ]
    body = envelope.success(data, request_id=call.request_id, meta=extra, links=links)
    return Response(body, status, content_type="application/json")
