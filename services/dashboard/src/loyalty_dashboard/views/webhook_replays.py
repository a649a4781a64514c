"""A replay under way: how far it is, and stopping it."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request

from loyalty_dashboard.web.access import only_for
from loyalty_dashboard.web.calls import api
from loyalty_dashboard.web.redirects import see_other

blueprint = only_for("manager", Blueprint("webhook_replays", __name__, url_prefix="/dashboard/webhook-replays"))


@blueprint.get("/<int:replay_id>")
def show(replay_id: int) -> str:
    """For htmx, which asks every second while it runs, only how far it is."""
    replay = api().get(f"/webhook-replays/{replay_id}").data
    is_part = "HX-Request" in request.headers
    return render_template("webhooks/replay_job.html" if is_part else "webhooks/replay_shown.html", replay=replay)


@blueprint.post("/<int:replay_id>/cancel")
def cancel(replay_id: int) -> Response:
    api().send("POST", f"/webhook-replays/{replay_id}/cancel", key=request.form.get("idempotency_key"))
    return see_other("webhook_replays.show", replay_id=replay_id)
