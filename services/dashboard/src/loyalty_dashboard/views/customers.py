"""The people: found, and seen whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template, request

from loyalty_dashboard.api import ApiError
from loyalty_dashboard.web.access import may
from loyalty_dashboard.web.calls import api
from loyalty_dashboard.web.lists import asked, everything, listed

blueprint = Blueprint("customers", __name__, url_prefix="/dashboard/customers")


@blueprint.get("")
def index() -> str:
    """As a part while one types."""
    answer = listed("/customers", **asked("search"))
    template = "customers/found.html" if "HX-Request" in request.headers else "customers/index.html"
    return render_template(template, answer=answer)


@blueprint.get("/<int:customer_id>")
def show(customer_id: int) -> str:
    answer = api().get(f"/customers/{customer_id}/wallet")
    return render_template(
        "customers/show.html",
        customer=answer.data["customer"],
        wallet=answer.data,
        unavailable=answer.meta.get("unavailable", []),
        joinable=joinable(answer.data),
        timeline=_timeline(customer_id),
    )


@blueprint.get("/<int:customer_id>/timeline")
def timeline(customer_id: int) -> str:
    """What happened before: appended to the profile, a page of its own without JavaScript."""
    customer = api().get(f"/customers/{customer_id}").data
    return render_template("customers/timeline.html", customer=customer, timeline=_timeline(customer_id))


def joinable(wallet: Mapping[str, Any]) -> list[tuple[int, str]]:
    """Cards that the customer can be enrolled on, for those who may."""
    if not may("manager"):
        return []
    has = {held["loyalty_card"]["id"] for held in wallet["loyalty_cards"]}
    cards = everything("/loyalty-cards")
    return [(card["id"], card["name"]) for card in cards if card["is_active"] and card["id"] not in has]


def _timeline(customer_id: int) -> Any:
    """None where a service is silent: the rest of the profile is worth showing."""
    try:
        return listed(f"/customers/{customer_id}/timeline", per_page=20)
    except ApiError as refused:
        if refused.status < 500:
            raise
        return None
