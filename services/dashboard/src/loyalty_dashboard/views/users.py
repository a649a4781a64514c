"""Who signs in, and as what. Owners only."""

from __future__ import annotations

from flask import Blueprint, Response, flash, render_template, request, url_for

from loyalty_dashboard.web import sessions
from loyalty_dashboard.web.access import only_for
from loyalty_dashboard.web.calls import anonymous, api
from loyalty_dashboard.web.forms import Form
from loyalty_dashboard.web.languages import gettext
from loyalty_dashboard.web.redirects import see_other

_FIELDS = ("name", "email", "role")

blueprint = only_for("owner", Blueprint("users", __name__, url_prefix="/dashboard/users"))


@blueprint.get("")
def index() -> str:
    answer = api().get("/users", cursor=request.args.get("cursor", ""), per_page=50)
    return render_template("users/index.html", users=answer)


@blueprint.route("/new", methods=["GET", "POST"])
def new() -> Response:
    form = Form.of_request(defaults={"role": "staff"})
    if request.method == "POST":
        made = form.send("POST", "/users", {name: form.text(name) for name in _FIELDS})
        if made is not None:
            flash(gettext("The invitation is on its way to %(email)s.") % {"email": made.data["email"]}, "ok")
            return see_other("users.index")
    return form.page("users/new.html")


@blueprint.route("/<int:user_id>", methods=["GET", "POST"])
def edit(user_id: int) -> Response:
    user = api().get(f"/users/{user_id}").data
    form = Form.of_request(defaults=user)
    if request.method == "POST":
        status = {"status": form.text("status")} if form.text("status") else {}
        changed = form.send("PATCH", f"/users/{user_id}", {name: form.text(name) for name in _FIELDS} | status)
        if changed is not None:
            someone = sessions.person()
            if someone is not None and someone.user["id"] == user_id:
                sessions.remember(user=changed.data)
            flash(gettext("Saved."), "ok")
            return see_other("users.index")
    return form.page("users/edit.html", user=user)


@blueprint.post("/<int:user_id>/invite")
def invite_again(user_id: int) -> Response:
    """A new link, as whoever was invited could ask for it himself."""
    user = api().get(f"/users/{user_id}").data
    anonymous().send("POST", "/password-resets", {"email": user["email"]}, key=request.form.get("idempotency_key"))
    flash(gettext("The invitation is on its way to %(email)s.") % {"email": user["email"]}, "ok")
    return see_other("users.index")


@blueprint.route("/<int:user_id>/delete", methods=["GET", "POST"])
def delete(user_id: int) -> Response:
    user = api().get(f"/users/{user_id}").data
    form = Form.of_request()
    if request.method == "POST" and form.send("DELETE", f"/users/{user_id}") is not None:
        flash(gettext("%(name)s cannot sign in any more.") % {"name": user["name"]}, "ok")
        return see_other("users.index")
    return form.page(
        "confirm.html",
        title=gettext("Delete %(name)s?") % {"name": user["name"]},
        text=gettext("Every session of this person ends. What he or she did stays in the audit log."),
        label=gettext("Delete"),
        back=url_for("users.edit", user_id=user_id),
    )
