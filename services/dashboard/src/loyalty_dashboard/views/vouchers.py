"""Vouchers: a code that takes something off."""

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

blueprint = only_for("manager", Blueprint("vouchers", __name__, url_prefix="/dashboard/vouchers"))


@blueprint.get("")
def index() -> str:
    """As a part while one types."""
    answer = listed("/vouchers", **asked("search", "is_active", "voucher_batch_id", "partner_location_id"))
    template = "vouchers/found.html" if "HX-Request" in request.headers else "vouchers/index.html"
    return render_template(template, answer=answer)


@blueprint.get("/<int:voucher_id>")
def show(voucher_id: int) -> str:
    voucher = api().get(f"/vouchers/{voucher_id}").data
    filters = asked("status", "order_reference", "customer_email", "from", "to")
    answer = listed(f"/vouchers/{voucher_id}/redemptions", **filters)
    known = people.known(row["customer_id"] for row in answer.data)
    return render_template("vouchers/show.html", voucher=voucher, answer=answer, known=known, places=Places())


@blueprint.route("/new", methods=["GET", "POST"])
def new() -> Response:
    form = Form.of_request(defaults={"discount_type": "percent"})
    if request.method == "POST":
        made = form.send("POST", "/vouchers", settings(form) | coded(form))
        if made is not None:
            return see("vouchers.show", voucher_id=made.data["id"], said=gettext("The voucher was created."))
    return form.page("vouchers/form.html", voucher=None, places=Places())


@blueprint.route("/<int:voucher_id>/edit", methods=["GET", "POST"])
def edit(voucher_id: int) -> Response:
    path = f"/vouchers/{voucher_id}"
    voucher = api().get(path).data
    form = Form.of_request(defaults=voucher)
    if request.method == "POST" and form.send("PATCH", path, settings(form) | coded(form)) is not None:
        return see("vouchers.show", voucher_id=voucher_id, said=gettext("Saved."))
    return form.page("vouchers/form.html", voucher=voucher, places=Places())


@blueprint.post("/<int:voucher_id>/active")
def set_active(voucher_id: int) -> Response:
    """Pause it, or go on."""
    form = Form.of_request()
    changes = {"is_active": form.text("is_active") == "true"}
    api().send("PATCH", f"/vouchers/{voucher_id}", changes, key=form.sent_key)
    return see("vouchers.show", voucher_id=voucher_id, said=gettext("Saved."))


@blueprint.post("/<int:voucher_id>/redemptions/<int:redemption_id>/rollback")
def roll_back(voucher_id: int, redemption_id: int) -> Response:
    key = Form.of_request().sent_key
    api().send("POST", f"/vouchers/{voucher_id}/redemptions/{redemption_id}/rollback", key=key)
    return see("vouchers.show", voucher_id=voucher_id, said=gettext("Taken back. It can be redeemed again."))


def settings(form: Form) -> dict[str, Any]:
    """What vouchers and batches of them have in common."""
    texts = ("name", "discount_type", "valid_from", "valid_until")
    integers = ("partner_location_id", "max_redemptions", "max_redemptions_per_customer")
    decimals = ("discount_value", "minimum_order_amount", "max_discount_amount")
    currency = {"currency": form.text("currency")} if form.text("currency") else {}
    return (
        {name: form.text(name) for name in texts}
        | {name: form.integer(name) for name in integers}
        | {name: form.decimal(name) for name in decimals}
        | currency
    )


def coded(form: Form) -> dict[str, Any]:
    """Left empty, the code is made up or stays."""
    code = form.text("voucher_code")
    return {"voucher_code": code} if code else {}
