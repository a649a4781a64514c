"""Webhook endpoints: where events are sent, and how that goes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for

from loyalty_dashboard.api import Answer, ApiError
from loyalty_dashboard.web import sessions
from loyalty_dashboard.web.access import only_for
from loyalty_dashboard.web.calls import api
from loyalty_dashboard.web.forms import Form
from loyalty_dashboard.web.languages import gettext
from loyalty_dashboard.web.redirects import see_other

EVENTS = (
    "customer.created",
    "customer.updated",
    "loyalty.enrolled",
    "loyalty.points_earned",
    "loyalty.points_redeemed",
    "loyalty.reward_claimed",
    "stamp.issued",
    "stamp.reward_fulfilled",
    "voucher.redeemed",
    "referral.completed",
)
_PERIODS = {
    "day": (timedelta(days=1), "hour"),
    "week": (timedelta(days=7), "hour"),
    "month": (timedelta(days=30), "day"),
}
_EVENT_CHOICES = [(event, event) for event in EVENTS]
_NEW = {"which": "all", "max_in_flight": 32}

blueprint = only_for("manager", Blueprint("webhooks", __name__, url_prefix="/dashboard/webhook-endpoints"))


@blueprint.get("")
def index() -> str:
    answer = api().get("/webhook-endpoints", cursor=request.args.get("cursor", ""), per_page=50)
    return render_template("webhooks/index.html", endpoints=answer)


@blueprint.route("/new", methods=["GET", "POST"])
def new() -> Response:
    form = Form.of_request(defaults=_NEW)
    if request.method == "POST":
        made = form.send("POST", "/webhook-endpoints", _settings(form))
        if made is not None:
            return _secret(form, made)
    return form.page("webhooks/new.html", events=_EVENT_CHOICES)


@blueprint.get("/<int:endpoint_id>")
def show(endpoint_id: int) -> str:
    endpoint = _found(endpoint_id)
    period = request.args.get("period", "day")
    recent = api().get("/webhook-deliveries", endpoint_id=endpoint_id, cursor="", per_page=10)
    return render_template(
        "webhooks/show.html", endpoint=endpoint, recent=recent, period=period, stats=_statistics(endpoint_id, period)
    )


@blueprint.route("/<int:endpoint_id>/edit", methods=["GET", "POST"])
def edit(endpoint_id: int) -> Response:
    endpoint = _found(endpoint_id)
    form = Form.of_request(defaults=endpoint | {"which": "all" if endpoint["events"] == ["*"] else "chosen"})
    if request.method == "POST":
        path = f"/webhook-endpoints/{endpoint_id}"
        if form.send("PATCH", path, _settings(form)) is not None:
            flash(gettext("Saved."), "ok")
            return see_other("webhooks.show", endpoint_id=endpoint_id)
    return form.page("webhooks/edit.html", endpoint=endpoint, events=_EVENT_CHOICES)


@blueprint.post("/<int:endpoint_id>/state")
def set_state(endpoint_id: int) -> Response:
    """``is_active`` true opens it, also where we have disabled it; false pauses it."""
    wanted = request.form.get("is_active") == "true"
    api().send(
        "PATCH", f"/webhook-endpoints/{endpoint_id}", {"is_active": wanted}, key=request.form.get("idempotency_key")
    )
    flash(gettext("Events are sent again.") if wanted else gettext("Paused. Nothing is sent until you resume."), "ok")
    return see_other("webhooks.show", endpoint_id=endpoint_id)


@blueprint.post("/<int:endpoint_id>/test")
def test(endpoint_id: int) -> Response:
    """Waits for what the receiver says, and shows it."""
    form = Form.of_request()
    tried = form.send("POST", f"/webhook-endpoints/{endpoint_id}/test", also=(429,))
    return form.page("webhooks/test.html", endpoint=_found(endpoint_id), result=tried and tried.data)


@blueprint.route("/<int:endpoint_id>/rotate-secret", methods=["GET", "POST"])
def rotate_secret(endpoint_id: int) -> Response:
    endpoint = _found(endpoint_id)
    form = Form.of_request(defaults={"overlap_hours": 24})
    if request.method == "POST":
        hours = {"overlap_hours": form.integer("overlap_hours")}
        made = form.send("POST", f"/webhook-endpoints/{endpoint_id}/rotate-secret", hours)
        if made is not None:
            return _secret(form, made)
    return form.page("webhooks/rotate.html", endpoint=endpoint)


@blueprint.route("/<int:endpoint_id>/delete", methods=["GET", "POST"])
def delete(endpoint_id: int) -> Response:
    endpoint = _found(endpoint_id)
    form = Form.of_request()
    if request.method == "POST" and form.send("DELETE", f"/webhook-endpoints/{endpoint_id}") is not None:
        flash(gettext("The endpoint is deleted."), "ok")
        return see_other("webhooks.index")
    return form.page(
        "confirm.html",
        title=gettext("Delete this endpoint?"),
        text=gettext("%(url)s gets nothing any more. What is still owed to it is cancelled.")
        % {"url": endpoint["url"]},
        label=gettext("Delete"),
        back=url_for("webhooks.show", endpoint_id=endpoint_id),
    )


@blueprint.route("/<int:endpoint_id>/replay", methods=["GET", "POST"])
def replay(endpoint_id: int) -> Response:
    endpoint = _found(endpoint_id)
    form = Form.of_request(defaults={"only": "failed", "which": "all"})
    if request.method == "POST":
        wanted = {"since": form.moment("since"), "until": form.moment("until"), "events": _events(form)}
        made = form.send("POST", f"/webhook-endpoints/{endpoint_id}/replay", wanted | {"only": form.text("only")})
        if made is not None:
            return see_other("webhook_replays.show", replay_id=made.data["id"])
    return form.page("webhooks/replay.html", endpoint=endpoint, events=_EVENT_CHOICES)


def _found(endpoint_id: int) -> dict[str, Any]:
    endpoint: dict[str, Any] = api().get(f"/webhook-endpoints/{endpoint_id}").data
    return endpoint


def _events(form: Form) -> list[str]:
    return ["*"] if form.text("which") == "all" else form.many("events")


def _settings(form: Form) -> dict[str, Any]:
    return {
        "url": form.text("url"),
        "description": form.text("description"),
        "events": _events(form),
        "max_in_flight": form.integer("max_in_flight"),
        "rate_limit_per_second": form.integer("rate_limit_per_second"),
    }


def _statistics(endpoint_id: int, period: str) -> Mapping[str, Any] | None:
    """None where there is more than can be counted while somebody waits."""
    length, interval = _PERIODS.get(period, _PERIODS["day"])
    since = (sessions.now() - length).isoformat()
    statistics: dict[str, Any]
    try:
        statistics = api().get(f"/webhook-endpoints/{endpoint_id}/stats", interval=interval, **{"from": since}).data
    except ApiError as refused:
        if refused.status != 400:
            raise
        return None
    return statistics | {"rows": [bucket | {"x": bucket["starts_at"]} for bucket in statistics["buckets"]]}


def _secret(form: Form, made: Answer) -> Response:
    return form.page("webhooks/secret.html", endpoint=made.data)


def pretty(payload: str) -> str:
    """The signed text for reading; what is no JSON, as it is."""
    try:
        return json.dumps(json.loads(payload), indent=2, ensure_ascii=False)
    except ValueError:
        return payload
