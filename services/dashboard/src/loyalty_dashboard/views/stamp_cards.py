"""Stamp cards: so many stamps, one reward."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, render_template, request

from loyalty_dashboard.web import people
from loyalty_dashboard.web.access import only_for
from loyalty_dashboard.web.answers import see
from loyalty_dashboard.web.calls import api
from loyalty_dashboard.web.forms import Form
from loyalty_dashboard.web.languages import gettext
from loyalty_dashboard.web.lists import asked, listed
from loyalty_dashboard.web.places import Places

blueprint = only_for("manager", Blueprint("stamp_cards", __name__, url_prefix="/dashboard/stamp-cards"))

_BEGIN = {"stamps_required_for_reward": 10, "stamps_per_purchase": 1}


@blueprint.get("")
def index() -> str:
    return render_template("stamp_cards/index.html", answer=listed("/stamp-cards"), places=Places())


@blueprint.get("/<int:stamp_card_id>")
def show(stamp_card_id: int) -> str:
    """With its rewards: those that wait to be handed over come first to mind."""
    card = api().get(f"/stamp-cards/{stamp_card_id}").data
    filters = asked("status", "customer_email")
    answer = listed(f"/stamp-cards/{stamp_card_id}/rewards", **filters)
    known = people.known(row["customer_id"] for row in answer.data)
    return render_template("stamp_cards/show.html", card=card, answer=answer, known=known, places=Places())


@blueprint.get("/<int:stamp_card_id>/stamps")
def stamps(stamp_card_id: int) -> str:
    card = api().get(f"/stamp-cards/{stamp_card_id}").data
    filters = asked("type", "reference", "customer_email", "from", "to")
    answer = listed(f"/stamp-cards/{stamp_card_id}/stamps", **filters)
    known = people.known(row["customer_id"] for row in answer.data)
    return render_template("stamp_cards/stamps.html", card=card, answer=answer, known=known, places=Places())


@blueprint.route("/new", methods=["GET", "POST"])
def new() -> Response:
    form = Form.of_request(defaults=_BEGIN)
    if request.method == "POST":
        made = form.send("POST", "/stamp-cards", _settings(form))
        if made is not None:
            said = gettext("The stamp card was created.")
            return see("stamp_cards.show", stamp_card_id=made.data["id"], said=said)
    return form.page("stamp_cards/form.html", card=None, places=Places())


@blueprint.route("/<int:stamp_card_id>/edit", methods=["GET", "POST"])
def edit(stamp_card_id: int) -> Response:
    path = f"/stamp-cards/{stamp_card_id}"
    card = api().get(path).data
    form = Form.of_request(defaults=card)
    if request.method == "POST" and form.send("PATCH", path, _settings(form)) is not None:
        return see("stamp_cards.show", stamp_card_id=stamp_card_id, said=gettext("Saved."))
    return form.page("stamp_cards/form.html", card=card, places=Places())


@blueprint.post("/<int:stamp_card_id>/active")
def set_active(stamp_card_id: int) -> Response:
    """Pause it, or go on."""
    form = Form.of_request()
    changes = {"is_active": form.text("is_active") == "true"}
    api().send("PATCH", f"/stamp-cards/{stamp_card_id}", changes, key=form.sent_key)
    return see("stamp_cards.show", stamp_card_id=stamp_card_id, said=gettext("Saved."))


@blueprint.post("/<int:stamp_card_id>/rewards/<int:reward_id>/fulfill")
def fulfill(stamp_card_id: int, reward_id: int) -> Response:
    key = Form.of_request().sent_key
    api().send("POST", f"/stamp-cards/{stamp_card_id}/rewards/{reward_id}/fulfill", key=key)
    return see("stamp_cards.show", stamp_card_id=stamp_card_id, said=gettext("Handed over."))


@blueprint.post("/<int:stamp_card_id>/stamps/<int:stamp_id>/reverse")
def reverse(stamp_card_id: int, stamp_id: int) -> Response:
    key = Form.of_request().sent_key
    api().send("POST", f"/stamp-cards/{stamp_card_id}/stamps/{stamp_id}/reverse", key=key)
    return see("stamp_cards.stamps", stamp_card_id=stamp_card_id, said=gettext("Taken back."))


def _settings(form: Form) -> dict[str, Any]:
    texts = ("name", "reward_title", "valid_from", "valid_until")
    integers = ("partner_location_id", "stamps_required_for_reward", "stamps_per_purchase")
    return {name: form.text(name) for name in texts} | {name: form.integer(name) for name in integers}
