"""What is decided about each request of the public API before a byte of it is carried: who, whether, how much, where.

The proxy and the forward-auth listener ask the same questions in the same order: that of the contract.
"""

from __future__ import annotations

import http
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

import structlog

from loyalty_common import envelope, metrics, tracing
from loyalty_common.errors import ApiError, MethodNotAllowed, NotFound, RateLimited, ServerError, Unauthenticated
from loyalty_common.identity import TokenSigner
from loyalty_gateway.api import headers, trace_context
from loyalty_gateway.api.access_log import Line
from loyalty_gateway.api.client_address import ClientAddresses
from loyalty_gateway.api.headers import Headers
from loyalty_gateway.api.routes import Node, Route, RouteTable, split_target, upstream_path
from loyalty_gateway.domain.access import Authenticator, check_permission, identity_token, visitor_token
from loyalty_gateway.domain.allowances import buckets_of
from loyalty_gateway.domain.errors import BadTarget, WrongKey
from loyalty_gateway.domain.failed_attempts import FailedAttempts, household
from loyalty_gateway.domain.in_flight import Holder
from loyalty_gateway.domain.known_keys import KnownKey
from loyalty_gateway.domain.limits import Limits

PUBLIC_PREFIX = "/api/v1/"

Environ = dict[str, Any]
StartResponse = Callable[[str, Headers], Any]
Answer = tuple[int, Headers, Iterable[bytes]]

_log = structlog.get_logger()
_ALWAYS = [("Cache-Control", "no-store")]
_WITH_TLS = [*_ALWAYS, ("Strict-Transport-Security", "max-age=31536000")]
_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in http.HTTPStatus}


@dataclass(slots=True)
class Visit:
    """One request on its way through the gateway. ``method`` and ``target`` are what the client asked for."""

    environ: Environ
    method: str
    target: str
    request_id: str
    address: str
    line: Line
    span: tracing.Span
    trace: Headers
    standing_headers: Headers
    limit_headers: Headers = field(default_factory=list)


class Passage(NamedTuple):
    """A request that may pass: as whom (``token`` for the service), and where to.

    ``counted_as``: whose requests under way it is one of. ``path`` is rebuilt for the service, with the client's query.
    """

    token: str
    counted_as: Holder
    route: Route
    path: str


@dataclass(frozen=True, slots=True)
class Door:
    routes: RouteTable
    authenticator: Authenticator
    failed_attempts: FailedAttempts
    limits: Limits
    addresses: ClientAddresses
    signer: TokenSigner
    has_tls: bool

    def welcome(self, environ: Environ, *, method: str, target: str) -> Visit:
        request_id = envelope.request_id_from(environ.get("HTTP_X_REQUEST_ID"))
        address = self.addresses.of(environ)
        line, came = Line(method=method, request_id=request_id, address=address), trace_context.given(environ)
        span = tracing.begin("request", kind="server", parent=came[0][1] if came else None)
        trace = trace_context.handed_on(span, came)
        # What joins this line with those of the services and with whatever the caller records.
        line.tell(trace_id=tracing.trace_id(trace[0][1]))
        standing = _WITH_TLS if self.has_tls else _ALWAYS
        return Visit(environ, method, target, request_id, address, line, span, trace, standing)

    def decide(self, visit: Visit) -> Passage:
        """In the order of the contract: failed attempts 429, 401, 403, 429, and only then what was asked for."""
        path, query = split_target(visit.target)
        if "HTTP_HOST" not in visit.environ:
            raise BadTarget("The Host header is required.")
        if self.has_tls and self.addresses.came_in_plain(visit.environ):
            # Not redirected: whoever was listening has the key already, and the caller must notice.
            raise BadTarget("The API is reached over https only.")
        if not path.startswith(PUBLIC_PREFIX):
            raise NotFound
        node, parameters = self.routes.find(path[len(PUBLIC_PREFIX) :].split("/")) or (Node(), [])
        route = node.routes.get(visit.method)
        self._check_attempts(visit)
        counted_as: Holder
        if route is not None and route.caller == "anyone":
            visit.line.tell(route=route.template)
            token, counted_as = visitor_token(audience=route.service, signer=self.signer), household(visit.address)
        else:
            key = self._authenticate(visit)
            self._admit(visit, key, route)
            if route is None:
                raise MethodNotAllowed(headers={"Allow": node.allow}) if node.routes else NotFound()
            token, counted_as = identity_token(key, audience=route.service, signer=self.signer), key.organization["id"]
        upstream = upstream_path(route, parameters)
        return Passage(token, counted_as, route, f"{upstream}?{query}" if query else upstream)

    def _check_attempts(self, visit: Visit) -> None:
        wait_s = self.failed_attempts.wait_s(visit.address)
        if wait_s:
            raise RateLimited(
                "Too many failed attempts from this address: retry later.", headers={"Retry-After": str(wait_s)}
            )

    def _authenticate(self, visit: Visit) -> KnownKey:
        try:
            key = self.authenticator.authenticate(visit.environ.get("HTTP_AUTHORIZATION"), now=datetime.now(UTC))
        except WrongKey:
            self.failed_attempts.count(visit.address)
            raise
        visit.line.tell(organization_id=key.organization["id"], tenant_id=key.tenant_id, kid=key.kid)
        return key

    def _admit(self, visit: Visit, key: KnownKey, route: Route | None) -> None:
        buckets = buckets_of(key.buckets, limit_class=None if route is None else route.limit_class)
        decision = self.limits.take(buckets)
        visit.limit_headers = headers.of_limits(buckets, decision)
        visit.line.tell(
            route=route and route.template,
            limit=decision.bucket.name,
            limit_remaining=decision.remaining,
            limit_store=decision.store,
        )
        if route is None:
            check_permission(key, scope=None, address=visit.address)
        else:
            needs_session = route.caller == "session"
            check_permission(
                key, scope=route.scope, role=route.role, needs_session=needs_session, address=visit.address
            )
        if not decision.allowed:
            raise RateLimited(headers={"Retry-After": str(max(1, math.ceil(decision.wait_us / 1_000_000)))})


def answered(visit: Visit, answer: Callable[[Visit], Answer], start_response: StartResponse) -> Iterable[bytes]:
    """Whatever comes out of ``answer``, an exception too, as WSGI wants it; with the line that tells of it."""
    try:
        status, answer_headers, body = answer(visit)
    except ApiError as error:
        status, answer_headers, body = _refusal(error, visit)
    except Exception:
        _log.exception("request_failed", request_id=visit.request_id)
        status, answer_headers, body = _refusal(ServerError(), visit)
    answer_headers += visit.limit_headers
    answer_headers.append(("X-Request-Id", visit.request_id))
    answer_headers += visit.standing_headers
    start_response(_STATUS_LINES.get(status) or f"{status} Unknown", answer_headers)
    duration_s = visit.line.write(status=status)
    route = visit.line.fields.get("route")
    metrics.observe_request(method=visit.method, route=route, status=status, duration_s=duration_s)
    if visit.span.is_exported:
        name = f"{visit.method} {route}" if route else None
        visit.span.end(name=name, failed=status >= 500, **visit.line.of_trace())
    return body


def _refusal(error: ApiError, visit: Visit) -> Answer:
    body = envelope.failure(error, request_id=visit.request_id)
    refused: Headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        *error.headers.items(),
    ]
    if isinstance(error, Unauthenticated):
        refused.append(("WWW-Authenticate", "Bearer"))
    visit.line.tell(error=error.reason or error.code)
    return error.status, refused, () if visit.method == "HEAD" else (body,)
