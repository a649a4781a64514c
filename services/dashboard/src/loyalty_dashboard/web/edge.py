"""Around every request: its id, its log line, the headers of its answer; and whether the process is well."""

from __future__ import annotations

import re
import time
import uuid

import structlog
from flask import Flask, Response, g, request

from loyalty_common import metrics
from loyalty_dashboard.api import Api
from loyalty_dashboard.web.sessions import person

_log = structlog.get_logger()
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    # Some addresses are secrets: the links of mails.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_STRICT_TRANSPORT = "max-age=31536000; includeSubDomains"


def install(app: Flask, *, is_https: bool) -> None:
    def finish(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if is_https:
            response.headers["Strict-Transport-Security"] = _STRICT_TRANSPORT
        # Pages are somebody's own; what may be kept says so itself.
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["X-Request-Id"] = g.request_id
        _note(response)
        return response

    app.before_request(_begin)
    app.after_request(finish)
    app.add_url_rule("/livez", "livez", _live)
    app.add_url_rule("/readyz", "readyz", lambda: _ready(app.extensions["api"]))


def _begin() -> None:
    sent = request.headers.get("X-Request-Id", "")
    g.request_id = sent if _REQUEST_ID.fullmatch(sent) else str(uuid.uuid4())
    g.started = time.perf_counter()


def _note(response: Response) -> None:
    duration_s = time.perf_counter() - g.started
    # The template, never the path: that may hold the secret of a mail.
    route = request.url_rule.rule if request.url_rule else None
    metrics.observe_request(method=request.method, route=route, status=response.status_code, duration_s=duration_s)
    someone = person()
    _log.info(
        "request",
        method=request.method,
        route=route,
        status=response.status_code,
        duration_ms=round(duration_s * 1000, 2),
        request_id=g.request_id,
        user_id=someone and someone.user["id"],
    )


def _live() -> dict[str, str]:
    return {"status": "ok"}


def _ready(api: Api) -> tuple[dict[str, object], int]:
    try:
        api.check()
    except Exception as error:
        _log.warning("dependency_away", dependency="api", error=str(error))
        return {"status": "unavailable", "dependencies": {"api": "unavailable"}}, 503
    return {"status": "ok", "dependencies": {"api": "ok"}}, 200
