"""Forms are taken only from pages of ours: each carries a token that is sealed in the browser's session."""

from __future__ import annotations

import secrets

from flask import Flask, request, session

from loyalty_dashboard.web.errors import FormExpired
from loyalty_dashboard.web.marks import is_harmless

FIELD = "csrf_token"
HEADER = "X-CSRF-Token"
_SAFE = ("GET", "HEAD", "OPTIONS")


def install(app: Flask) -> None:
    app.before_request(_check)
    app.jinja_env.globals["csrf_token"] = token


def token() -> str:
    """Of this browser; made, with its cookie, when the first form is shown."""
    if FIELD not in session:
        session[FIELD] = secrets.token_urlsafe(32)
    known: str = session[FIELD]
    return known


def _check() -> None:
    if request.method in _SAFE or is_harmless(request.endpoint):
        return
    sent = request.headers.get(HEADER) or request.form.get(FIELD, "")
    if not (FIELD in session and secrets.compare_digest(sent.encode(), session[FIELD].encode())):
        raise FormExpired
