"""Signing in and out."""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for

from loyalty_dashboard.api import ApiError
from loyalty_dashboard.web import access, sessions
from loyalty_dashboard.web.calls import anonymous, api
from loyalty_dashboard.web.forms import Form
from loyalty_dashboard.web.marks import public
from loyalty_dashboard.web.redirects import go_to, see_other

blueprint = Blueprint("sign_in", __name__, url_prefix="/dashboard")


@blueprint.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> Response:
    wanted = access.local_path(request.values.get("next")) or url_for("home.home")
    if request.method == "GET" and _is_signed_in():
        return go_to(wanted)
    form = Form.of_request()
    if request.method == "POST" and _begin(form):
        return go_to(wanted)
    return form.page("sign_in/sign_in.html", wanted=wanted)


@blueprint.post("/sign-out")
@public
def sign_out() -> Response:
    if sessions.person() is not None:
        try:
            api().send("DELETE", "/sessions/current")
        except ApiError as refused:
            if refused.status != 401:  # It was over already.
                raise
        sessions.end()
    return see_other("sign_in.sign_in")


def _is_signed_in() -> bool:
    """Asked of the API: two requests of one browser may have met a renewal, and only the newest cookie is good."""
    if sessions.person() is None:
        return False
    try:
        api().get("/me")
    except ApiError as refused:
        if refused.status != 401:
            raise
        sessions.end()
        return False
    return True


def _begin(form: Form) -> bool:
    credentials = {"email": form.text("email"), "password": form.secret("password")}
    answer = form.send("POST", "/sessions", credentials, caller=anonymous(), also=(401, 403, 429))
    if answer is None or answer.data["token"] is None:  # None: sent twice; the first answer had it.
        return False
    sessions.begin(answer, now=sessions.now())
    return True
