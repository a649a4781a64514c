"""Referral programs: what is paid for bringing a friend along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, render_template, request

from loyalty_dashboard.web import people
from loyalty_dashboard.web.access import only_for
from loyalty_dashboard.web.answers import see
from loyalty_dashboard.web.calls import api
from loyalty_dashboard.web.forms import Form
from loyalty_dashboard.web.languages import gettext
from loyalty_dashboard.web.lists import asked, everything, listed

blueprint = only_for("manager", Blueprint("referral_programs", __name__, url_prefix="/dashboard/referral-programs"))

# What the value beside a milestone's type means to the API.
_TAKES = {"first_purchase": "minimum_amount", "purchase_count": "count", "amount_spent": "amount"}
_ROWS = 4
_BEGIN = {"referrer_points": 100, "referred_points": 50, "type_0": "first_purchase"}


@blueprint.get("")
def index() -> str:
    cards = {card["id"]: card["name"] for card in everything("/loyalty-cards")}
    return render_template("referral_programs/index.html", answer=listed("/referral-programs"), cards=cards)


@blueprint.get("/<int:program_id>")
def show(program_id: int) -> str:
    caller = api()
    program = caller.get(f"/referral-programs/{program_id}").data
    answer = listed(f"/referral-programs/{program_id}/referrals", **asked("status"))
    both = [row[side] for row in answer.data for side in ("referrer_customer_id", "referred_customer_id")]
    card = caller.get(f"/loyalty-cards/{program['loyalty_card_id']}").data
    return render_template(
        "referral_programs/show.html", program=program, card=card, answer=answer, known=people.known(both)
    )


@blueprint.route("/new", methods=["GET", "POST"])
def new() -> Response:
    form = Form.of_request(defaults=_BEGIN)
    if request.method == "POST":
        settings = {**_settings(form), "loyalty_card_id": form.integer("loyalty_card_id")}
        made = form.send("POST", "/referral-programs", settings)
        if made is not None:
            said = gettext("The referral program was created.")
            return see("referral_programs.show", program_id=made.data["id"], said=said)
    cards = [(card["id"], card["name"]) for card in everything("/loyalty-cards")]
    return form.page("referral_programs/form.html", program=None, cards=cards, rows=range(_ROWS))


@blueprint.route("/<int:program_id>/edit", methods=["GET", "POST"])
def edit(program_id: int) -> Response:
    path = f"/referral-programs/{program_id}"
    program = api().get(path).data
    form = Form.of_request(defaults={**program, **_spread(program["milestones"])})
    if request.method == "POST" and form.send("PATCH", path, _settings(form)) is not None:
        return see("referral_programs.show", program_id=program_id, said=gettext("Saved."))
    rows = range(max(_ROWS, len(program["milestones"]) + 1))
    return form.page("referral_programs/form.html", program=program, cards=[], rows=rows)


@blueprint.post("/<int:program_id>/active")
def set_active(program_id: int) -> Response:
    """Pause it, or go on."""
    form = Form.of_request()
    changes = {"is_active": form.text("is_active") == "true"}
    api().send("PATCH", f"/referral-programs/{program_id}", changes, key=form.sent_key)
    return see("referral_programs.show", program_id=program_id, said=gettext("Saved."))


@blueprint.post("/<int:program_id>/referrals/<int:referral_id>/complete/<int:milestone_id>")
def complete(program_id: int, referral_id: int, milestone_id: int) -> Response:
    """A milestone that only the merchant can judge."""
    path = f"/referral-programs/{program_id}/referrals/{referral_id}/complete"
    api().send("POST", path, {"milestone_id": milestone_id}, key=Form.of_request().sent_key)
    return see("referral_programs.show", program_id=program_id, said=gettext("Completed."))


def _settings(form: Form) -> dict[str, Any]:
    texts = ("name", "valid_from", "valid_until")
    integers = ("referrer_points", "referred_points")
    return (
        {name: form.text(name) for name in texts}
        | {name: form.integer(name) for name in integers}
        | {"milestones": _milestones(form)}
    )


def _milestones(form: Form) -> list[dict[str, Any]]:
    """Of the rows of the form those that have a type; one that is known by its id stays the same one."""
    found = []
    row = 0
    while f"type_{row}" in request.form:
        kind = form.text(f"type_{row}")
        if kind is not None:
            found.append(_milestone(form, row, kind))
        row += 1
    return found


def _milestone(form: Form, row: int, kind: str) -> dict[str, Any]:
    milestone: dict[str, Any] = {"type": kind}
    if form.text(f"id_{row}"):
        milestone["id"] = form.integer(f"id_{row}")
    for name in ("referrer_points", "referred_points"):
        milestone[name] = form.integer(f"{name}_{row}")
    field = _TAKES.get(kind)
    if field is not None:
        milestone[field] = form.integer(f"value_{row}") if field == "count" else form.decimal(f"value_{row}")
    return milestone


def _spread(milestones: list[Mapping[str, Any]]) -> dict[str, Any]:
    """The fields of the form that show ``milestones``."""
    fields: dict[str, Any] = {}
    for row, milestone in enumerate(milestones):
        fields |= {f"{name}_{row}": milestone[name] for name in ("id", "type", "referrer_points", "referred_points")}
        taken = _TAKES.get(milestone["type"])
        fields[f"value_{row}"] = milestone[taken] if taken else None
    return fields
