"""What points of a loyalty card can be spent on."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from loyalty_dashboard.web.access import only_for
from loyalty_dashboard.web.answers import see
from loyalty_dashboard.web.calls import api
from loyalty_dashboard.web.forms import Form
from loyalty_dashboard.web.languages import gettext

blueprint = only_for(
    "manager", Blueprint("rewards", __name__, url_prefix="/dashboard/loyalty-cards/<int:card_id>/rewards")
)


@blueprint.route("/new", methods=["GET", "POST"])
def new(card_id: int) -> Response:
    card = api().get(f"/loyalty-cards/{card_id}").data
    form = Form.of_request()
    if request.method == "POST" and form.send("POST", f"/loyalty-cards/{card_id}/rewards", _settings(form)) is not None:
        return see("loyalty_cards.show", card_id=card_id, said=gettext("The reward was created."))
    return form.page("rewards/form.html", card=card, reward=None)


@blueprint.route("/<int:reward_id>/edit", methods=["GET", "POST"])
def edit(card_id: int, reward_id: int) -> Response:
    path = f"/loyalty-cards/{card_id}/rewards/{reward_id}"
    card, reward = api().get(f"/loyalty-cards/{card_id}").data, api().get(path).data
    form = Form.of_request(defaults=reward)
    if request.method == "POST" and form.send("PATCH", path, _settings(form)) is not None:
        return see("loyalty_cards.show", card_id=card_id, said=gettext("Saved."))
    return form.page("rewards/form.html", card=card, reward=reward)


@blueprint.post("/<int:reward_id>/active")
def set_active(card_id: int, reward_id: int) -> Response:
    """Pause it, or go on."""
    form = Form.of_request()
    changes = {"is_active": form.text("is_active") == "true"}
    api().send("PATCH", f"/loyalty-cards/{card_id}/rewards/{reward_id}", changes, key=form.sent_key)
    return see("loyalty_cards.show", card_id=card_id, said=gettext("Saved."))


def _settings(form: Form) -> dict[str, Any]:
    texts = ("title", "description", "valid_from", "valid_until")
    integers = ("points_cost", "quantity", "max_claims_per_customer")
    return {name: form.text(name) for name in texts} | {name: form.integer(name) for name in integers}
