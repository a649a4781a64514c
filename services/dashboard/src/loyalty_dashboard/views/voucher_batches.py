"""Many vouchers of one kind, each with a code of its own."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request

from loyalty_dashboard.views.vouchers import settings
from loyalty_dashboard.web.access import only_for
from loyalty_dashboard.web.answers import file, see
from loyalty_dashboard.web.calls import api
from loyalty_dashboard.web.forms import Form
from loyalty_dashboard.web.languages import gettext
from loyalty_dashboard.web.lists import listed
from loyalty_dashboard.web.places import Places

blueprint = only_for("manager", Blueprint("voucher_batches", __name__, url_prefix="/dashboard/vouchers/batches"))


@blueprint.get("")
def index() -> str:
    return render_template("voucher_batches/index.html", answer=listed("/voucher-batches"))


@blueprint.get("/<int:batch_id>")
def show(batch_id: int) -> str:
    batch = api().get(f"/voucher-batches/{batch_id}").data
    answer = listed("/vouchers", voucher_batch_id=batch_id)
    return render_template("voucher_batches/show.html", batch=batch, answer=answer, places=Places())


@blueprint.route("/new", methods=["GET", "POST"])
def new() -> Response:
    form = Form.of_request(defaults={"discount_type": "percent", "quantity": 100, "max_redemptions": 1})
    if request.method == "POST":
        codes = {"quantity": form.integer("quantity"), "code_prefix": form.text("code_prefix")}
        made = form.send("POST", "/voucher-batches", settings(form) | codes)
        if made is not None:
            return see("voucher_batches.show", batch_id=made.data["id"], said=gettext("The vouchers were created."))
    return form.page("voucher_batches/form.html", places=Places())


@blueprint.get("/<int:batch_id>/codes.csv")
def codes(batch_id: int) -> Response:
    return file(api().download(f"/voucher-batches/{batch_id}/codes.csv"))
