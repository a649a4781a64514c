"""The organization: seen by managers, changed by owners."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request

from loyalty_dashboard.web import choices, sessions
from loyalty_dashboard.web.access import may, only_for
from loyalty_dashboard.web.calls import api
from loyalty_dashboard.web.forms import Form
from loyalty_dashboard.web.languages import gettext
from loyalty_dashboard.web.redirects import see_other

_FIELDS = ("name", "currency", "country", "time_zone")

blueprint = only_for("manager", Blueprint("organization", __name__, url_prefix="/dashboard/organization"))


@blueprint.route("", methods=["GET", "POST"])
def organization() -> Response:
    account = api().get("/me").data
    form = Form.of_request(defaults=account["organization"])
    if request.method == "POST":
        changed = form.send("PATCH", "/organization", {name: form.text(name) for name in _FIELDS})
        if changed is not None:
            sessions.remember(organization=changed.data)
            flash(gettext("Saved."), "ok")
            return see_other("organization.organization")
    return form.page(
        "organization/organization.html",
        account=account,
        is_changeable=may("owner"),
        countries=choices.countries(),
        currencies=choices.currencies(),
        time_zones=choices.time_zones(),
    )
