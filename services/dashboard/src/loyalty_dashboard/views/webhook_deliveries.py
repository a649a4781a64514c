"""What was sent to webhook endpoints, what came back, and sending it again."""

from __future__ import annotations

from flask import Blueprint, Response, flash, render_template, request

from loyalty_dashboard.api import ApiError
from loyalty_dashboard.views.webhooks import EVENTS, pretty
from loyalty_dashboard.web.access import only_for
from loyalty_dashboard.web.calls import api
from loyalty_dashboard.web.languages import gettext
from loyalty_dashboard.web.redirects import see_other
from loyalty_dashboard.web.sentences import of_error

_FILTERS = ("endpoint_id", "event", "status", "event_id")

blueprint = only_for("manager", Blueprint("webhook_deliveries", __name__, url_prefix="/dashboard/webhook-deliveries"))


@blueprint.get("")
def index() -> str:
    wanted = {name: request.args.get(name) or None for name in _FILTERS}
    answer = api().get("/webhook-deliveries", cursor=request.args.get("cursor", ""), per_page=50, **wanted)
    endpoints = api().get("/webhook-endpoints", cursor="", per_page=100).data
    return render_template(
        "webhooks/deliveries.html",
        deliveries=answer,
        endpoint_choices=[("", gettext("All")), *((one["id"], one["url"]) for one in endpoints)],
        event_choices=[("", gettext("All")), *((event, event) for event in EVENTS)],
    )


@blueprint.get("/<int:delivery_id>")
def show(delivery_id: int) -> str:
    delivery = api().get(f"/webhook-deliveries/{delivery_id}").data
    return render_template("webhooks/delivery.html", delivery=delivery, payload=pretty(delivery["payload"]))


@blueprint.post("/<int:delivery_id>/redeliver")
def redeliver(delivery_id: int) -> Response:
    try:
        api().send("POST", f"/webhook-deliveries/{delivery_id}/redeliver", key=request.form.get("idempotency_key"))
    except ApiError as refused:
        if refused.status != 400:
            raise
        flash(of_error(refused), "bad")
    else:
        flash(gettext("It is sent again."), "ok")
    return see_other("webhook_deliveries.show", delivery_id=delivery_id)
