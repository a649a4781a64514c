"""Who changed what in the account, when and from where."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from loyalty_dashboard.web.access import only_for
from loyalty_dashboard.web.calls import api
from loyalty_dashboard.web.languages import gettext

ACTIONS = (
    "api_key.created",
    "api_key.updated",
    "api_key.rotated",
    "api_key.revoked",
    "organization.created",
    "organization.updated",
    "organization.suspended",
    "organization.resumed",
    "partner_location.created",
    "partner_location.updated",
    "session.created",
    "session.renewed",
    "session.ended",
    "user.created",
    "user.invited",
    "user.activated",
    "user.updated",
    "user.password_reset",
    "user.deleted",
)

blueprint = only_for("manager", Blueprint("audit", __name__, url_prefix="/dashboard/audit-log"))


@blueprint.get("")
def index() -> str:
    wanted = {name: request.args.get(name) or None for name in ("actor_type", "action", "from", "to")}
    answer = api().get("/audit-log", cursor=request.args.get("cursor", ""), per_page=50, **wanted)
    choices = [("", gettext("Everything")), *((action, action) for action in ACTIONS)]
    return render_template("audit/index.html", entries=answer, actions=choices)
