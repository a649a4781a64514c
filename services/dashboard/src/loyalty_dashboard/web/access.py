"""Who gets to see a page. The API decides what may be done; here it is asked for less in vain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import structlog
from flask import Blueprint, Flask, Response, request, url_for

from loyalty_dashboard.api import ApiError
from loyalty_dashboard.web import sessions
from loyalty_dashboard.web.calls import api
from loyalty_dashboard.web.errors import Forbidden, SignInNeeded
from loyalty_dashboard.web.marks import is_public
from loyalty_dashboard.web.redirects import go_to

_log = structlog.get_logger()
_RANKS = {"staff": 0, "manager": 1, "owner": 2}
_View = TypeVar("_View", bound=Callable[..., Any])


def install(app: Flask) -> None:
    app.before_request(_sign_in_first)
    app.jinja_env.globals |= {"person": sessions.person, "may": may}


def may(role: str) -> bool:
    """Whether whoever is signed in has ``role`` or more."""
    someone = sessions.person()
    return someone is not None and _RANKS[someone.role] >= _RANKS[role]


def only_for(role: str, blueprint: Blueprint) -> Blueprint:
    """All pages of ``blueprint`` are for ``role`` and those who may more."""

    def check() -> None:
        if may(role):
            return
        # He may have been given more since the cookie was made, or have been shut out.
        account = api().get("/me").data
        sessions.remember(user=account["user"], organization=account["organization"])
        if not may(role):
            raise Forbidden

    blueprint.before_request(check)
    return blueprint


def _sign_in_first() -> Response | None:
    if not _is_dashboard(request.path) or is_public(request.endpoint):
        return None
    someone = sessions.person()
    if someone is None:
        raise SignInNeeded
    # Only while a whole page is asked for: its answer brings the new cookie, and what the page loads comes after it.
    is_page = request.method == "GET" and "HX-Request" not in request.headers
    if is_page and someone.should_be_renewed(sessions.now()):
        renew()
    return None


def renew(mode: str | None = None) -> None:
    """A session in place of this one. Without a ``mode`` to switch to, one that cannot be had now is no failure."""
    try:
        answer = api().send("POST", "/sessions/current/renew", {"mode": mode} if mode else {})
    except ApiError as refused:
        if mode is not None or refused.status == 401:
            raise
        _log.warning("session_not_renewed", status=refused.status)
    else:
        sessions.begin(answer, now=sessions.now())


def _is_dashboard(path: str) -> bool:
    return path == "/dashboard" or path.startswith("/dashboard/")


def sign_in_page() -> Response:
    """Where whoever has no session, or one that is over, is sent: and then back to where he was."""
    is_page = request.method == "GET" and "HX-Request" not in request.headers
    wanted = request.full_path.rstrip("?") if is_page else local_path(urlsplit(request.referrer or "").path)
    target = url_for("sign_in.sign_in", next=wanted or None)
    if "HX-Request" in request.headers:
        return Response(status=204, headers={"HX-Redirect": target})
    return go_to(target)


def local_path(path: str | None) -> str | None:
    """``path`` if it leads to a page of the dashboard, whoever wrote it into a link."""
    parts = urlsplit(path or "")
    is_local = not parts.scheme and not parts.netloc and _is_dashboard(parts.path) and "\\" not in (path or "")
    return path if is_local else None
