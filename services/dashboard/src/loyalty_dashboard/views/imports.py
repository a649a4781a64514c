"""Customers out of a file, with a bar that shows how far it is and a file of what was wrong."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request

from loyalty_dashboard.api import ApiError
from loyalty_dashboard.web.access import only_for
from loyalty_dashboard.web.answers import file, see
from loyalty_dashboard.web.calls import api
from loyalty_dashboard.web.forms import Form
from loyalty_dashboard.web.languages import gettext
from loyalty_dashboard.web.lists import listed

blueprint = only_for("manager", Blueprint("imports", __name__, url_prefix="/dashboard/imports"))

_JSON_LINES = (".jsonl", ".ndjson", ".json")


@blueprint.get("")
def index() -> str:
    return render_template("imports/index.html", answer=listed("/imports"))


@blueprint.route("/new", methods=["GET", "POST"])
def new() -> Response:
    form = Form.of_request()
    if request.method == "POST":
        made = _upload(form)
        if made is not None:
            return see("imports.show", import_id=made)
    return form.page("imports/new.html")


@blueprint.get("/<int:import_id>")
def show(import_id: int) -> str:
    """As a part it is asked for every second while the import runs."""
    found = api().get(f"/imports/{import_id}").data
    template = "imports/state.html" if "HX-Request" in request.headers else "imports/show.html"
    return render_template(template, one=found)


@blueprint.post("/<int:import_id>/cancel")
def cancel(import_id: int) -> Response:
    api().send("POST", f"/imports/{import_id}/cancel", key=Form.of_request().sent_key)
    return see("imports.show", import_id=import_id)


@blueprint.get("/<int:import_id>/errors.csv")
def errors(import_id: int) -> Response:
    return file(api().download(f"/imports/{import_id}/errors.csv"))


def _upload(form: Form) -> int | None:
    """The import's id, or None and the form knows why."""
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        form.errors["file"] = [gettext("Choose a file.")]
        return None
    media_type = "application/x-ndjson" if sent.filename.lower().endswith(_JSON_LINES) else "text/csv"
    # Type and name are said in the address, the body is the file.
    path = "/imports"
    try:
        made = api().upload(
            path,
            sent.stream,
            content_type=media_type,
            key=form.sent_key,
            type="customers",
            file_name=sent.filename[:200],
        )
    except ApiError as refused:
        if refused.status not in (400, 413):
            raise
        form.refuse(refused)
        return None
    import_id: int = made.data["id"]
    return import_id
