"""The pages that say what went wrong, in words for whoever is in front of them."""

from __future__ import annotations

import structlog
from flask import Flask, Response, g, make_response, render_template, request
from werkzeug import exceptions

from loyalty_dashboard.api import ApiError
from loyalty_dashboard.web import access, sessions
from loyalty_dashboard.web.errors import FormExpired, PageError, SignInNeeded
from loyalty_dashboard.web.languages import gettext, mark

_log = structlog.get_logger()
_WORDS = {
    400: (mark("That did not work"), mark("The address or what was sent is not right.")),
    403: (mark("This is not for you"), mark("Your role does not include this. Ask an owner of your organization.")),
    404: (mark("Not found"), mark("There is nothing here, or it is not yours.")),
    413: (mark("Too large"), mark("What was sent is larger than what is taken.")),
    429: (mark("Too many at once"), mark("Wait a moment, then try again.")),
    500: (
        mark("Something went wrong"),
        mark("It is our fault. Whatever you sent was perhaps not kept: look before you repeat it."),
    ),
    503: (mark("Not available right now"), mark("This part is away for a moment. Nothing is lost; try again.")),
}
_EXPIRED = (
    mark("This page is out of date"),
    mark("Open it anew and send it again: you have signed in or out meanwhile."),
)
_RETRIED = (429, 500, 503)


def install(app: Flask) -> None:
    app.register_error_handler(ApiError, _refused)
    app.register_error_handler(PageError, _ended)
    app.register_error_handler(exceptions.HTTPException, _http)
    app.register_error_handler(Exception, _failed)


def _refused(error: ApiError) -> Response:
    if error.status == 401:
        return access.sign_in_page()
    if error.status >= 500:
        _log.warning("api_away", status=error.status, request_id=g.request_id, cause=str(error.__cause__ or ""))
        return _page(503, retry_after=error.retry_after)
    return _page(error.status, error=error, retry_after=error.retry_after)


def _ended(error: PageError) -> Response:
    if isinstance(error, SignInNeeded):
        return access.sign_in_page()
    return _page(error.status, words=_EXPIRED if isinstance(error, FormExpired) else None)


def _http(error: exceptions.HTTPException) -> Response:
    code = error.code or 500
    if code < 400 and error.response is not None:
        return make_response(error.response)
    return _page(code)


def _failed(error: Exception) -> Response:
    _log.error("request_failed", exc_info=error, request_id=g.request_id)
    return _page(500)


def _page(
    status: int, *, words: tuple[str, str] | None = None, error: ApiError | None = None, retry_after: str | None = None
) -> Response:
    """Whole for a page; for htmx, which puts answers into pages, just the words."""
    title, text = words or _WORDS.get(404 if status == 405 else status) or _WORDS[400 if status < 500 else 500]
    facts = {
        "title": gettext(title),
        "text": gettext(text),
        "status": status,
        "error": error,
        "retry": status in _RETRIED,
        "is_part": "HX-Request" in request.headers,
        "signed_in": sessions.person(),
        "request_id": g.request_id,
    }
    response = make_response(render_template("errors/error.html", **facts), status)
    if retry_after:
        response.headers["Retry-After"] = retry_after
    return response
