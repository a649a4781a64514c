"""The private listener that decides and carries nothing, so that a proxy written in C or Go may carry the bytes.

Each kind of proxy tells in its own way what its client asked for. It is believed only under its own path, and only in
the headers that it always sets itself: one that it does not know it would pass on as its client wrote it.

    /_authz           nginx ``auth_request``: X-Original-Method, X-Original-URI
    /_authz/traefik   ``forwardAuth``: X-Forwarded-Method, X-Forwarded-Uri
    /_authz/envoy/…   ``ext_authz``: the method itself, and the path behind this prefix

200 means that the request may pass, as whom (Authorization), to which service and path, and with which limits left. All
else is the refusal as the gateway itself would have answered.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from loyalty_common.errors import NotFound
from loyalty_common.identity import GATEWAY
from loyalty_gateway.api.bodies import WITH_BODY, check_type
from loyalty_gateway.api.decision import Answer, Door, Environ, StartResponse, Visit, answered
from loyalty_gateway.api.headers import CLIENT_ADDRESS, WRITES
from loyalty_gateway.domain.errors import BadTarget

_NGINX, _TRAEFIK, _ENVOY = "/_authz", "/_authz/traefik", "/_authz/envoy/"
_HEALTH = frozenset(("/livez", "/readyz"))


@dataclass(frozen=True, slots=True)
class ForwardAuth:
    """The WSGI callable of the forward-auth listener. ``pages`` answers for its health."""

    door: Door
    pages: Callable[[Environ, Any], Iterable[bytes]]

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["RAW_URI"] in _HEALTH:
            return self.pages(environ, start_response)
        method, target = _asked_for(environ)
        visit = self.door.welcome(environ, method=method, target=target)
        return answered(visit, self._answer, start_response)

    def _answer(self, visit: Visit) -> Answer:
        if not visit.target:
            raise NotFound
        passage = self.door.decide(visit)
        route = passage.route
        if route.upload is not None:
            # Counted and checked as it streams through the gateway itself: send these routes there.
            raise BadTarget("This path is not carried by the proxy in front.")
        if visit.method in WITH_BODY and "CONTENT_TYPE" in visit.environ:
            check_type(visit.environ)
        granted = [
            ("Content-Length", "0"),
            ("Authorization", f"Bearer {passage.token}"),
            ("X-Loyalty-Service", route.service),
            ("X-Loyalty-Path", passage.path),
            # Always, if need be empty, so that no client's own gets past a proxy that copies what this one answers.
            ("X-Loyalty-Request-Key", str(uuid.uuid4()) if visit.method in WRITES else ""),
            (CLIENT_ADDRESS, visit.address if route.service == GATEWAY else ""),
            *visit.trace,
        ]
        return 200, granted, ()


def _asked_for(environ: Environ) -> tuple[str, str]:
    """Method and target of the client, the target empty if that is not told."""
    path = environ["RAW_URI"]
    if path.startswith(_ENVOY):
        return environ["REQUEST_METHOD"], path[len(_ENVOY) - 1 :]
    dialect = {_NGINX: "HTTP_X_ORIGINAL_{}", _TRAEFIK: "HTTP_X_FORWARDED_{}"}.get(path, "")
    return environ.get(dialect.format("METHOD"), "GET"), environ.get(dialect.format("URI"), "") if dialect else ""
