"""What only managers do with customers: create, change, export and erase them, and look into their books."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Blueprint, Response, make_response, render_template, request
from werkzeug.exceptions import BadRequest

from loyalty_dashboard.web.access import only_for
from loyalty_dashboard.web.answers import see
from loyalty_dashboard.web.calls import api
from loyalty_dashboard.web.forms import Form
from loyalty_dashboard.web.languages import gettext
from loyalty_dashboard.web.lists import asked, listed
from loyalty_dashboard.web.places import Places

blueprint = only_for("manager", Blueprint("managed_customers", __name__, url_prefix="/dashboard/customers"))


@blueprint.get("/<int:customer_id>/points/<int:card_id>")
def ledger(customer_id: int, card_id: int) -> str:
    """All that happened to the points of one customer on one card."""
    caller = api()
    return render_template(
        "customers/ledger.html",
        customer=caller.get(f"/customers/{customer_id}").data,
        card=caller.get(f"/loyalty-cards/{card_id}").data,
        answer=listed(f"/loyalty-cards/{card_id}/transactions", customer_id=customer_id, **asked("type")),
        places=Places(),
    )


@blueprint.route("/new", methods=["GET", "POST"])
def new() -> Response:
    form = Form.of_request()
    if request.method == "POST":
        made = form.send("POST", "/customers", _profile(form))
        if made is not None:
            said = gettext("Saved. Who was there already keeps the name and phone from before.")
            return see("customers.show", customer_id=made.data["id"], said=said)
    return form.page("customers/form.html", customer=None)


@blueprint.route("/<int:customer_id>/edit", methods=["GET", "POST"])
def edit(customer_id: int) -> Response:
    customer = api().get(f"/customers/{customer_id}").data
    form = Form.of_request(defaults=customer)
    if request.method == "POST" and form.send("PATCH", f"/customers/{customer_id}", _profile(form)) is not None:
        return see("customers.show", customer_id=customer_id, said=gettext("Saved."))
    return form.page("customers/form.html", customer=customer)


@blueprint.get("/<int:customer_id>/export")
def export(customer_id: int) -> Response:
    """Everything that is held on a person, as a file to hand over."""
    held = api().get(f"/customers/{customer_id}/export").data
    response = make_response(orjson.dumps(held, option=orjson.OPT_INDENT_2))
    response.headers["Content-Type"] = "application/json"
    response.headers["Content-Disposition"] = f'attachment; filename="customer-{customer_id}.json"'
    return response


@blueprint.route("/<int:customer_id>/erase", methods=["GET", "POST"])
def erase(customer_id: int) -> Response:
    customer = api().get(f"/customers/{customer_id}").data
    form = Form.of_request()
    if request.method == "POST":
        if form.is_on("sure"):
            api().send("DELETE", f"/customers/{customer_id}", key=form.sent_key)
            return see("customers.index", said=gettext("The customer was erased."))
        form.errors["sure"] = [gettext("Tick the box if you mean it.")]
    return form.page("customers/erase.html", customer=customer)


@blueprint.post("/<int:customer_id>/enroll")
def enroll(customer_id: int) -> Response:
    """On the card that was chosen on the profile or at the counter."""
    form = Form.of_request()
    api().get(f"/customers/{customer_id}")
    card_id = form.integer("card")
    if not isinstance(card_id, int):
        raise BadRequest
    api().send("POST", f"/loyalty-cards/{card_id}/enrollments", {"customer_id": customer_id}, key=form.sent_key)
    back = "counter.customer" if form.text("from") == "counter" else "customers.show"
    return see(back, customer_id=customer_id, said=gettext("Now a member."))


@blueprint.post("/<int:customer_id>/memberships/<int:card_id>/<int:enrollment_id>")
def change_membership(customer_id: int, card_id: int, enrollment_id: int) -> Response:
    """Suspend it, or end that."""
    form = Form.of_request()
    changes = {"status": form.text("status")}
    api().send("PATCH", f"/loyalty-cards/{card_id}/enrollments/{enrollment_id}", changes, key=form.sent_key)
    return see("customers.show", customer_id=customer_id, said=gettext("Saved."))


def _profile(form: Form) -> dict[str, Any]:
    return {name: form.text(name) for name in ("name", "email", "phone")}
