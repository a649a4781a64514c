"""Where the organization sells."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, render_template, request

from loyalty_dashboard.web import sessions
from loyalty_dashboard.web.access import only_for
from loyalty_dashboard.web.answers import see
from loyalty_dashboard.web.calls import api
from loyalty_dashboard.web.forms import Form
from loyalty_dashboard.web.languages import gettext
from loyalty_dashboard.web.lists import listed

blueprint = only_for("manager", Blueprint("locations", __name__, url_prefix="/dashboard/locations"))


@blueprint.get("")
def index() -> str:
    return render_template("locations/index.html", answer=listed("/partner-locations"))


@blueprint.route("/new", methods=["GET", "POST"])
def new() -> Response:
    someone = sessions.person()
    form = Form.of_request(defaults={"time_zone": someone and someone.organization["time_zone"]})
    if request.method == "POST" and form.send("POST", "/partner-locations", _settings(form)) is not None:
        return see("locations.index", said=gettext("The location was created."))
    return form.page("locations/form.html", location=None)


@blueprint.route("/<int:location_id>/edit", methods=["GET", "POST"])
def edit(location_id: int) -> Response:
    path = f"/partner-locations/{location_id}"
    location = api().get(path).data
    form = Form.of_request(defaults=location)
    if request.method == "POST":
        changes = {**_settings(form), "is_active": form.is_on("is_active")}
        if form.send("PATCH", path, changes) is not None:
            return see("locations.index", said=gettext("Saved."))
    return form.page("locations/form.html", location=location)


def _settings(form: Form) -> dict[str, Any]:
    return {"name": form.text("name"), "time_zone": form.text("time_zone")}
