"""Keys for programs: made, changed, rotated, revoked. A key is in the answer to the one form that made it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for

from loyalty_dashboard.api import Answer
from loyalty_dashboard.web.access import only_for
from loyalty_dashboard.web.calls import api
from loyalty_dashboard.web.formats import local_input
from loyalty_dashboard.web.forms import Form
from loyalty_dashboard.web.languages import gettext
from loyalty_dashboard.web.redirects import see_other
from loyalty_dashboard.web.sessions import person

AREAS = ("customers", "programs", "vouchers", "webhooks", "account", "keys")

blueprint = only_for("owner", Blueprint("api_keys", __name__, url_prefix="/dashboard/api-keys"))


@blueprint.get("")
def index() -> str:
    wanted = {name: request.args.get(name) or None for name in ("status", "mode")}
    answer = api().get("/api-keys", cursor=request.args.get("cursor", ""), per_page=50, **wanted)
    return render_template("api_keys/index.html", keys=answer)


@blueprint.route("/new", methods=["GET", "POST"])
def new() -> Response:
    someone = person()
    form = Form.of_request(
        defaults={"mode": someone and someone.mode} | _access({f"{area}:write" for area in AREAS[:4]})
    )
    if request.method == "POST":
        made = form.send("POST", "/api-keys", _settings(form) | {"mode": form.text("mode")})
        if made is not None:
            return _secret(form, made)
    return form.page("api_keys/new.html", areas=AREAS)


@blueprint.get("/<int:api_key_id>")
def show(api_key_id: int) -> str:
    return render_template("api_keys/show.html", key=_found(api_key_id), areas=AREAS)


@blueprint.route("/<int:api_key_id>/edit", methods=["GET", "POST"])
def edit(api_key_id: int) -> Response:
    key = _found(api_key_id)
    shown = {"name": key["name"], "expires_at": local_input(key["expires_at"]), **_access(set(key["scopes"]))}
    form = Form.of_request(defaults=shown | {"allowed_cidrs": "\n".join(key["allowed_cidrs"])})
    if request.method == "POST" and form.send("PATCH", f"/api-keys/{api_key_id}", _settings(form)) is not None:
        flash(gettext("Saved. It counts for the next request."), "ok")
        return see_other("api_keys.show", api_key_id=api_key_id)
    return form.page("api_keys/edit.html", key=key, areas=AREAS)


@blueprint.route("/<int:api_key_id>/rotate", methods=["GET", "POST"])
def rotate(api_key_id: int) -> Response:
    key = _found(api_key_id)
    form = Form.of_request(defaults={"overlap_hours": 24})
    if request.method == "POST":
        hours = {"overlap_hours": form.integer("overlap_hours")}
        made = form.send("POST", f"/api-keys/{api_key_id}/rotate", hours)
        if made is not None:
            return _secret(form, made)
    return form.page("api_keys/rotate.html", key=key)


@blueprint.route("/<int:api_key_id>/revoke", methods=["GET", "POST"])
def revoke(api_key_id: int) -> Response:
    key = _found(api_key_id)
    form = Form.of_request()
    if request.method == "POST" and form.send("POST", f"/api-keys/{api_key_id}/revoke") is not None:
        flash(gettext("Revoked. Every request with this key is refused from now on."), "ok")
        return see_other("api_keys.show", api_key_id=api_key_id)
    return form.page(
        "confirm.html",
        title=gettext("Revoke %(name)s?") % {"name": key["name"]},
        text=gettext("Within a second every request with it is refused, for ever. Programs that use it stop working."),
        label=gettext("Revoke the key"),
        back=url_for("api_keys.show", api_key_id=api_key_id),
    )


def _found(api_key_id: int) -> dict[str, Any]:
    key: dict[str, Any] = api().get(f"/api-keys/{api_key_id}").data
    return key


def _settings(form: Form) -> dict[str, Any]:
    chosen = {area: form.text(f"access_{area}") for area in AREAS}
    return {
        "name": form.text("name"),
        "scopes": [f"{area}:{right}" for area, right in chosen.items() if right],
        "allowed_cidrs": form.lines("allowed_cidrs"),
        "expires_at": form.moment("expires_at"),
    }


def _access(scopes: set[str]) -> dict[str, str]:
    """What the form shows for these scopes; ``write`` includes ``read``."""
    rights = ("write", "read")
    return {f"access_{area}": next((right for right in rights if f"{area}:{right}" in scopes), "") for area in AREAS}


def _secret(form: Form, made: Answer) -> Response:
    return form.page("api_keys/secret.html", key=made.data)
