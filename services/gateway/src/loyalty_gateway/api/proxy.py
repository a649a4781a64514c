"""The public listener: what may pass is carried to the service that owns the path."""

from __future__ import annotations

import http
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from loyalty_common.identity import GATEWAY
from loyalty_gateway.api import headers
from loyalty_gateway.api.bodies import WITH_BODY, read_body
from loyalty_gateway.api.decision import Answer, Door, Environ, Passage, StartResponse, Visit, answered
from loyalty_gateway.api.exchange import Call
from loyalty_gateway.api.uploads import UploadBody
from loyalty_gateway.api.upstream import Streamed, Upstream
from loyalty_gateway.domain.in_flight import InFlight

Wsgi = Callable[[Environ, Any], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Proxy:
    """The WSGI callable of the public listener. ``pages`` answers the few paths that are the gateway's own."""

    door: Door
    in_flight: InFlight
    upstreams: Mapping[str, Upstream]
    pages: Wsgi
    page_paths: frozenset[str]

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        target = environ["RAW_URI"]
        if target.partition("?")[0] in self.page_paths:
            return self.pages(environ, start_response)
        visit = self.door.welcome(environ, method=environ["REQUEST_METHOD"], target=target)
        return answered(visit, self._answer, start_response)

    def _answer(self, visit: Visit) -> Answer:
        passage = self.door.decide(visit)
        leave = self.in_flight.enter(passage.counted_as)
        try:
            status, returned, body = self._carry(visit, passage)
        except BaseException:
            leave()
            raise
        if isinstance(body, Streamed):
            return status, returned, UntilClosed(body, leave)
        leave()
        return status, returned, body

    def _carry(self, visit: Visit, passage: Passage) -> tuple[int, headers.Headers, Streamed | tuple[bytes]]:
        route = passage.route
        body: bytes | UploadBody | None = None
        if route.upload is not None:
            body = UploadBody(visit.environ, route.upload)
        elif visit.method in WITH_BODY:
            body = read_body(visit.environ)
        sent = headers.to_service(
            visit.environ, token=passage.token, request_id=visit.request_id, trace=visit.trace, body=body
        )
        if route.service == GATEWAY:
            # The account API notes in the audit log where a change came from; nobody else has to know.
            sent.append((headers.CLIENT_ADDRESS, visit.address))
        call = Call(visit.method, passage.path, sent, body, route.timeout_s, is_judged=route.caller is not None)
        asked_at = time.perf_counter()
        try:
            reply = self.upstreams[route.service].send(call)
        finally:
            visit.line.tell(upstream=route.service, upstream_ms=round((time.perf_counter() - asked_at) * 1000, 2))
        returned = headers.to_client(reply.headers)
        if reply.status == http.HTTPStatus.UNAUTHORIZED:
            returned.append(("WWW-Authenticate", "Bearer"))
        if reply.length is not None and visit.method != "HEAD":
            returned.append(("Content-Length", str(reply.length)))
        return reply.status, returned, (reply.body,) if isinstance(reply.body, bytes) else reply.body


class UntilClosed:
    """An answer that streams: its request is under way until the last piece has gone or the client has."""

    def __init__(self, body: Streamed, leave: Callable[[], None]) -> None:
        self._body, self._leave = body, leave

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        self._leave()
        self._body.close()
