"""Loyalty cards: what points are given for, and who has them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, render_template, request

from loyalty_dashboard.web import people
from loyalty_dashboard.web.access import only_for
from loyalty_dashboard.web.answers import see
from loyalty_dashboard.web.calls import api
from loyalty_dashboard.web.forms import Form
from loyalty_dashboard.web.languages import gettext
from loyalty_dashboard.web.lists import asked, everything, listed
from loyalty_dashboard.web.places import Places

blueprint = only_for("manager", Blueprint("loyalty_cards", __name__, url_prefix="/dashboard/loyalty-cards"))

_BEGIN = {"earn_spend_amount": "1.00", "earn_points": 1, "initial_bonus_points": 0, "auto_enroll": True}


@blueprint.get("")
def index() -> str:
    return render_template("loyalty_cards/index.html", answer=listed("/loyalty-cards"), places=Places())


@blueprint.get("/<int:card_id>")
def show(card_id: int) -> str:
    card = api().get(f"/loyalty-cards/{card_id}").data
    return render_template(
        "loyalty_cards/show.html",
        card=card,
        rewards=list(everything(f"/loyalty-cards/{card_id}/rewards")),
        places=Places(),
    )


@blueprint.route("/new", methods=["GET", "POST"])
def new() -> Response:
    form = Form.of_request(defaults=_BEGIN)
    if request.method == "POST":
        made = form.send("POST", "/loyalty-cards", _settings(form))
        if made is not None:
            return see("loyalty_cards.show", card_id=made.data["id"], said=gettext("The loyalty card was created."))
    return form.page("loyalty_cards/form.html", card=None, places=Places())


@blueprint.route("/<int:card_id>/edit", methods=["GET", "POST"])
def edit(card_id: int) -> Response:
    path = f"/loyalty-cards/{card_id}"
    card = api().get(path).data
    form = Form.of_request(defaults=card)
    if request.method == "POST" and form.send("PATCH", path, _settings(form)) is not None:
        return see("loyalty_cards.show", card_id=card_id, said=gettext("Saved."))
    return form.page("loyalty_cards/form.html", card=card, places=Places())


@blueprint.post("/<int:card_id>/active")
def set_active(card_id: int) -> Response:
    """Pause it, or go on."""
    form = Form.of_request()
    is_active = form.text("is_active") == "true"
    api().send("PATCH", f"/loyalty-cards/{card_id}", {"is_active": is_active}, key=form.sent_key)
    return see("loyalty_cards.show", card_id=card_id, said=gettext("Saved."))


@blueprint.get("/<int:card_id>/members")
def members(card_id: int) -> str:
    card = api().get(f"/loyalty-cards/{card_id}").data
    filters = asked("status", "member_number", "customer_email")
    answer = listed(f"/loyalty-cards/{card_id}/enrollments", **filters)
    known = people.known(row["customer_id"] for row in answer.data)
    return render_template("loyalty_cards/members.html", card=card, answer=answer, known=known)


@blueprint.get("/<int:card_id>/transactions")
def transactions(card_id: int) -> str:
    card = api().get(f"/loyalty-cards/{card_id}").data
    filters = asked("type", "reference", "customer_email", "from", "to")
    answer = listed(f"/loyalty-cards/{card_id}/transactions", **filters)
    known = people.known(row["customer_id"] for row in answer.data)
    return render_template("loyalty_cards/transactions.html", card=card, answer=answer, known=known, places=Places())


@blueprint.route("/<int:card_id>/transactions/<int:transaction_id>/reverse", methods=["GET", "POST"])
def reverse(card_id: int, transaction_id: int) -> Response:
    """Take a purchase back, or a part of it."""
    path = f"/loyalty-cards/{card_id}/transactions/{transaction_id}"
    row = api().get(path).data
    form = Form.of_request()
    if request.method == "POST":
        refund = {"notes": form.text("notes"), "amount": form.decimal("amount")}
        done = form.send("POST", f"{path}/reverse", {name: value for name, value in refund.items() if value})
        if done is not None:
            return see("loyalty_cards.transactions", card_id=card_id, said=gettext("Taken back."))
    card = api().get(f"/loyalty-cards/{card_id}").data
    someone = people.known([row["customer_id"]]).get(row["customer_id"])
    return form.page("loyalty_cards/reverse.html", card=card, row=row, someone=someone)


@blueprint.get("/<int:card_id>/claims")
def claims(card_id: int) -> str:
    card = api().get(f"/loyalty-cards/{card_id}").data
    filters = asked("status", "claim_code", "customer_email")
    answer = listed(f"/loyalty-cards/{card_id}/claims", **filters)
    known = people.known(row["customer_id"] for row in answer.data)
    return render_template("loyalty_cards/claims.html", card=card, answer=answer, known=known)


@blueprint.post("/<int:card_id>/claims/<int:claim_id>/fulfill")
def fulfill(card_id: int, claim_id: int) -> Response:
    return _settle(card_id, claim_id, "fulfill", said=gettext("Handed over."))


@blueprint.post("/<int:card_id>/claims/<int:claim_id>/cancel")
def cancel(card_id: int, claim_id: int) -> Response:
    return _settle(card_id, claim_id, "cancel", said=gettext("Cancelled. The points are back."))


def _settle(card_id: int, claim_id: int, what: str, *, said: str) -> Response:
    key = Form.of_request().sent_key
    api().send("POST", f"/loyalty-cards/{card_id}/claims/{claim_id}/{what}", key=key)
    return see("loyalty_cards.claims", card_id=card_id, said=said)


def _settings(form: Form) -> dict[str, Any]:
    texts = ("name", "earn_currency", "date_issued", "expiry_date", "refund_floor", "card_identifier")
    integers = ("partner_location_id", "earn_points", "initial_bonus_points", "points_expire_after_months")
    settings: dict[str, Any] = {name: form.text(name) for name in texts} | {
        name: form.integer(name) for name in integers
    }
    settings |= {"earn_spend_amount": form.decimal("earn_spend_amount"), "auto_enroll": form.is_on("auto_enroll")}
    # Left empty these stay as they are, or are made up for a new card: nobody means to change them by that.
    return {
        name: value
        for name, value in settings.items()
        if value is not None or name not in ("card_identifier", "date_issued", "earn_currency")
    }
