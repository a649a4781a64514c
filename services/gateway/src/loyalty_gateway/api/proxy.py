"""The one door: decides about each request of the public API, then carries it to the service that owns the path."""

from __future__ import annotations

import http
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from loyalty_common import envelope
from loyalty_common.errors import ApiError, MethodNotAllowed, NotFound, RateLimited, ServerError, Unauthenticated
from loyalty_common.identity import GATEWAY, TokenSigner
from loyalty_gateway.api import headers
from loyalty_gateway.api.access_log import Line
from loyalty_gateway.api.bodies import read_body
from loyalty_gateway.api.client_address import ClientAddresses
from loyalty_gateway.api.exchange import Call
from loyalty_gateway.api.headers import CLIENT_ADDRESS, Headers
from loyalty_gateway.api.routes import Node, Route, RouteTable, split_target, upstream_path
from loyalty_gateway.api.uploads import UploadBody
from loyalty_gateway.api.upstream import Upstream
from loyalty_gateway.domain.access import Authenticator, check_permission, identity_token
from loyalty_gateway.domain.errors import BadTarget, WrongKey
from loyalty_gateway.domain.failed_attempts import FailedAttempts
from loyalty_gateway.domain.known_keys import KnownKey
from loyalty_gateway.domain.limits import Limits

PUBLIC_PREFIX = "/api/v1/"

Environ = dict[str, Any]
StartResponse = Callable[[str, Headers], Any]
Wsgi = Callable[[Environ, Any], Iterable[bytes]]
Answer = tuple[int, Headers, Iterable[bytes]]

_log = structlog.get_logger()
_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in http.HTTPStatus}
_WITH_BODY = frozenset(("POST", "PUT", "PATCH"))


@dataclass(slots=True)
class Visit:
    """One request on its way through the gateway."""

    environ: Environ
    method: str
    request_id: str
    address: str
    line: Line
    limit_headers: Headers


@dataclass(frozen=True, slots=True)
class Proxy:
    """The WSGI callable of the public listener. ``pages`` answers the few paths that are the gateway's own."""

    routes: RouteTable
    authenticator: Authenticator
    failed_attempts: FailedAttempts
    limits: Limits
    signer: TokenSigner
    upstreams: Mapping[str, Upstream]
    addresses: ClientAddresses
    pages: Wsgi
    page_paths: frozenset[str]

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["RAW_URI"].partition("?")[0] in self.page_paths:
            return self.pages(environ, start_response)
        visit = self._welcome(environ)
        try:
            status, answer_headers, body = self._answer(visit)
        except ApiError as error:
            status, answer_headers, body = _refusal(error, visit)
        except Exception:
            _log.exception("request_failed", request_id=visit.request_id)
            status, answer_headers, body = _refusal(ServerError(), visit)
        answer_headers += visit.limit_headers
        answer_headers += (("X-Request-Id", visit.request_id), ("Cache-Control", "no-store"))
        start_response(_STATUS_LINES.get(status) or f"{status} Unknown", answer_headers)
        visit.line.write(status=status)
        return body

    def _welcome(self, environ: Environ) -> Visit:
        method = environ["REQUEST_METHOD"]
        request_id = envelope.request_id_from(environ.get("HTTP_X_REQUEST_ID"))
        address = self.addresses.of(environ)
        return Visit(
            environ, method, request_id, address, Line(method=method, request_id=request_id, address=address), []
        )

    def _answer(self, visit: Visit) -> Answer:
        """In the order of the contract: failed attempts 429, 401, 403, 429, and only then what was asked for."""
        path, query = split_target(visit.environ["RAW_URI"])
        if "HTTP_HOST" not in visit.environ:
            raise BadTarget("The Host header is required.")
        if not path.startswith(PUBLIC_PREFIX):
            raise NotFound
        key = self._authenticate(visit)
        node, parameters = self.routes.find(path[len(PUBLIC_PREFIX) :].split("/")) or (Node(), [])
        route = node.routes.get(visit.method)
        self._admit(visit, key, route)
        if route is None:
            raise MethodNotAllowed(headers={"Allow": node.allow}) if node.routes else NotFound()
        upstream = upstream_path(route, parameters)
        return self._carry(visit, key, route, f"{upstream}?{query}" if query else upstream)

    def _authenticate(self, visit: Visit) -> KnownKey:
        wait_s = self.failed_attempts.wait_s(visit.address)
        if wait_s:
            raise RateLimited(
                "Too many failed attempts from this address: retry later.", headers={"Retry-After": str(wait_s)}
            )
        try:
            key = self.authenticator.authenticate(visit.environ.get("HTTP_AUTHORIZATION"), now=datetime.now(UTC))
        except WrongKey:
            self.failed_attempts.count(visit.address)
            raise
        visit.line.tell(organization_id=key.organization["id"], tenant_id=key.tenant_id, kid=key.kid)
        return key

    def _admit(self, visit: Visit, key: KnownKey, route: Route | None) -> None:
        decision = self.limits.take(key.buckets)
        visit.limit_headers = headers.of_limits(key.buckets, decision)
        visit.line.tell(route=route and route.template, limit=decision.bucket.name, limit_remaining=decision.remaining)
        check_permission(key, scope=None if route is None else route.scope, address=visit.address)
        if not decision.allowed:
            raise RateLimited(headers={"Retry-After": str(max(1, math.ceil(decision.wait_us / 1_000_000)))})

    def _carry(self, visit: Visit, key: KnownKey, route: Route, path: str) -> Answer:
        body: bytes | UploadBody | None = None
        if route.upload is not None:
            body = UploadBody(visit.environ, route.upload)
        elif visit.method in _WITH_BODY:
            body = read_body(visit.environ)
        token = identity_token(key, audience=route.service, signer=self.signer)
        sent = headers.to_service(visit.environ, token=token, request_id=visit.request_id, body=body)
        if route.service == GATEWAY:
            # The account API notes in the audit log where a change came from; nobody else has to know.
            sent.append((CLIENT_ADDRESS, visit.address))
        asked_at = time.perf_counter()
        reply = self.upstreams[route.service].send(Call(visit.method, path, sent, body, route.timeout_s))
        visit.line.tell(upstream=route.service, upstream_ms=round((time.perf_counter() - asked_at) * 1000, 2))
        returned = headers.to_client(reply.headers)
        if reply.length is not None and visit.method != "HEAD":
            returned.append(("Content-Length", str(reply.length)))
        return reply.status, returned, (reply.body,) if isinstance(reply.body, bytes) else reply.body


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
