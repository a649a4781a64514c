"""Language and colours of a browser, and the mode of a session."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, request
from werkzeug.exceptions import BadRequest

from loyalty_dashboard.web import access, languages
from loyalty_dashboard.web.marks import harmless
from loyalty_dashboard.web.redirects import go_to, see_other

_A_YEAR_S = 31_536_000
_CHOICES = {languages.COOKIE: tuple(languages.NAMES), "theme": ("light", "dark", "auto")}

blueprint = Blueprint("preferences", __name__)


@blueprint.post("/preferences")
@harmless
def choose() -> Response:
    """``language`` or ``theme``, and back to ``next``."""
    chosen = {name: request.form[name] for name in _CHOICES if request.form.get(name) in _CHOICES[name]}
    response = _back()
    for name, value in chosen.items():
        is_https = current_app.extensions["settings"].is_https
        response.set_cookie(name, value, max_age=_A_YEAR_S, secure=is_https, httponly=True, samesite="Lax")
    return response


@blueprint.post("/dashboard/mode")
def switch_mode() -> Response:
    """Between live and test data. Back to the top: what a page showed is not there in the other mode."""
    mode = request.form.get("mode", "")
    if mode not in ("live", "test"):
        raise BadRequest
    access.renew(mode)
    return see_other("home.home")


def _back() -> Response:
    target = request.form.get("next", "/")
    is_local = target.startswith("/") and not target.startswith(("//", "/\\"))
    return go_to(target if is_local else "/")
