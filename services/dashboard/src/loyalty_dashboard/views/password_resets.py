"""Choosing a password behind the link of a mail: after forgetting the old one, or after being invited."""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, Response, flash, request

from loyalty_dashboard.api import ApiError
from loyalty_dashboard.web import sessions
from loyalty_dashboard.web.calls import anonymous
from loyalty_dashboard.web.forms import Form
from loyalty_dashboard.web.languages import gettext
from loyalty_dashboard.web.marks import public
from loyalty_dashboard.web.redirects import see_other

blueprint = Blueprint("password_resets", __name__, url_prefix="/dashboard/password-resets")


@blueprint.route("", methods=["GET", "POST"])
@public
def ask() -> Response:
    """The answer is the same whether anybody has the address."""
    form = Form.of_request()
    sent = request.method == "POST" and form.send(
        "POST", "/password-resets", {"email": form.text("email")}, caller=anonymous(), also=(429,)
    )
    return form.page("password_resets/sent.html" if sent else "password_resets/ask.html")


@blueprint.route("/<token>", methods=["GET", "POST"])
@public
def choose(token: str) -> Response:
    form = Form.of_request()
    if request.method == "POST":
        path = f"/password-resets/{quote(token, safe='')}"
        try:
            chosen = form.send("POST", path, {"password": form.secret("password")}, caller=anonymous(), also=(429,))
        except ApiError as refused:
            if refused.status != 404:
                raise
            return form.page("password_resets/over.html", status=404)
        if chosen is not None:
            sessions.end()
            flash(gettext("Your password is set. Sign in with it."), "ok")
            return see_other("sign_in.sign_in")
    return form.page("password_resets/choose.html")
