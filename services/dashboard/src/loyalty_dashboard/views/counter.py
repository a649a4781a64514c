"""The counter, made for a phone: find the customer, type the amount, done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request

from loyalty_dashboard.api import Answer, ApiError
from loyalty_dashboard.views.customers import joinable
from loyalty_dashboard.web import sessions
from loyalty_dashboard.web.access import may
from loyalty_dashboard.web.answers import see
from loyalty_dashboard.web.calls import api
from loyalty_dashboard.web.forms import Form
from loyalty_dashboard.web.languages import gettext, ngettext
from loyalty_dashboard.web.lists import everything
from loyalty_dashboard.web.places import Places

blueprint = Blueprint("counter", __name__, url_prefix="/dashboard/counter")

_SHOWN = 8
_PLACE = "counter_location"
_A_YEAR_S = 31_536_000


@blueprint.get("")
def counter() -> str | Response:
    """Whom one is looking for: by name, e-mail or phone while one types, by a member number or its code at once."""
    search = request.args.get("search", "").strip()
    identified = _identified(search)
    if identified is not None and "HX-Request" not in request.headers:
        return see("counter.customer", customer_id=identified["id"])
    found = [identified] if identified else api().get("/customers", search=search or None, per_page=_SHOWN).data
    template = "counter/found.html" if "HX-Request" in request.headers else "counter/counter.html"
    return render_template(template, found=found, search=search)


@blueprint.get("/<int:customer_id>")
def customer(customer_id: int) -> Response:
    return _page(Form.of_request(), customer_id)


@blueprint.post("/<int:customer_id>/here")
def here(customer_id: int) -> Response:
    """This phone stands at this counter, until somebody says otherwise."""
    api().get(f"/customers/{customer_id}")
    place = request.form.get("place", "")
    response = see("counter.customer", customer_id=customer_id)
    is_https = current_app.extensions["settings"].is_https
    kept = f"{_organization_id()}-{place}" if place.isdecimal() else ""
    response.set_cookie(_PLACE, kept, max_age=_A_YEAR_S, secure=is_https, httponly=True, samesite="Lax")
    return response


@blueprint.post("/<int:customer_id>/points/<int:card_id>")
def credit(customer_id: int, card_id: int) -> Response:
    """What a purchase earns."""
    form = Form.of_request()
    paid = {"amount": form.decimal("amount"), "currency": form.text("currency"), "reference": form.text("reference")}
    return _done(form, customer_id, f"/loyalty-cards/{card_id}/transactions", paid, _credited)


@blueprint.post("/<int:customer_id>/redemptions/<int:card_id>")
def redeem(customer_id: int, card_id: int) -> Response:
    """Points spent at the till."""
    form = Form.of_request()
    return _done(form, customer_id, f"/loyalty-cards/{card_id}/redemptions", {"points": form.integer("points")}, _spent)


@blueprint.post("/<int:customer_id>/stamps/<int:stamp_card_id>")
def stamp(customer_id: int, stamp_card_id: int) -> Response:
    form = Form.of_request()
    bought = {"quantity": form.integer("quantity")}
    return _done(form, customer_id, f"/stamp-cards/{stamp_card_id}/stamps", bought, _stamped)


@blueprint.post("/<int:customer_id>/rewards/<int:card_id>/<int:reward_id>")
def claim(customer_id: int, card_id: int, reward_id: int) -> Response:
    form = Form.of_request()
    path = f"/loyalty-cards/{card_id}/rewards/{reward_id}/claim"
    return _done(form, customer_id, path, {}, lambda _: gettext("Claimed. It can be handed over below."))


@blueprint.post("/<int:customer_id>/hand-over")
def hand_over(customer_id: int) -> Response:
    """A claimed reward, or one of a full stamp card; which, stand in ``claim`` or ``stamp_reward`` as card:reward."""
    form = Form.of_request()
    for field, path in (
        ("claim", "/loyalty-cards/{}/claims/{}/fulfill"),
        ("stamp_reward", "/stamp-cards/{}/rewards/{}/fulfill"),
    ):
        card, _, reward = (form.text(field) or "").partition(":")
        if card.isdecimal() and reward.isdecimal():
            handed = form.send("POST", path.format(card, reward), _at_place({}))
            if handed is not None:
                return see("counter.customer", customer_id=customer_id, said=gettext("Handed over."))
    return _page(form, customer_id)


@blueprint.post("/<int:customer_id>/voucher")
def voucher(customer_id: int) -> Response:
    form = Form.of_request()
    order = {"voucher_code": form.text("voucher_code"), "order_amount": form.decimal("order_amount")}
    return _done(form, customer_id, "/vouchers/redeem", order, _discounted)


def _done(form: Form, customer_id: int, path: str, body: Mapping[str, Any], said: Any) -> Response:
    """What was sent, for this customer; back to the customer, with ``said`` of the answer or what was wrong."""
    done = form.send("POST", path, _at_place({"customer_id": customer_id, **body}))
    if done is None:
        return _page(form, customer_id)
    return see("counter.customer", customer_id=customer_id, said=said(done))


def _page(form: Form, customer_id: int) -> Response:
    answer = api().get(f"/customers/{customer_id}/wallet")
    return form.page(
        "counter/customer.html",
        customer=answer.data["customer"],
        wallet=answer.data,
        unavailable=answer.meta.get("unavailable", []),
        joinable=joinable(answer.data),
        more_stamp_cards=_more_stamp_cards(answer.data),
        rewards=_affordable(answer.data),
        places=Places(),
        place=_place(),
    )


def _more_stamp_cards(wallet: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Those that the customer has no stamp on yet."""
    if not may("manager"):
        return []
    has = {held["stamp_card"]["id"] for held in wallet["stamp_cards"]}
    return [card for card in everything("/stamp-cards") if card["is_active"] and card["id"] not in has]


def _affordable(wallet: Mapping[str, Any]) -> dict[int, list[dict[str, Any]]]:
    """By card the rewards that its points are enough for."""
    if not may("manager"):
        return {}
    return {
        held["loyalty_card"]["id"]: [
            reward
            for reward in everything(f"/loyalty-cards/{held['loyalty_card']['id']}/rewards", is_active="true")
            if reward["points_cost"] <= held["enrollment"]["points_balance"] and reward["quantity_left"] != 0
        ]
        for held in wallet["loyalty_cards"]
    }


def _identified(text: str) -> dict[str, Any] | None:
    """Whose member number this is, or the text of its QR code; nobody for what is neither."""
    digits = text.removeprefix("loyalty:member:").replace("-", "").replace(" ", "")
    if len(digits) != 12 or not digits.isdecimal():
        return None
    try:
        found: dict[str, Any] = api().get("/customers/lookup", identifier=text).data
    except ApiError as refused:
        if refused.status not in (400, 404):
            raise
        return None
    return found


def _place() -> str:
    """The location's id; empty if nobody of this organization said."""
    organization, _, place = request.cookies.get(_PLACE, "").partition("-")
    return place if organization == str(_organization_id()) and place.isdecimal() else ""


def _organization_id() -> int | None:
    someone = sessions.person()
    return someone.organization["id"] if someone else None


def _at_place(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "partner_location_id": int(_place())} if _place() else body


def _credited(answer: Answer) -> str:
    row = answer.data
    text = ngettext(
        "%(num)s point. The balance is %(balance)s.", "%(num)s points. The balance is %(balance)s.", row["points_delta"]
    )
    return text % {"num": row["points_delta"], "balance": row["points_balance_after"]}


def _spent(answer: Answer) -> str:
    row = answer.data["transaction"]
    return gettext("%(points)s points redeemed. The balance is %(balance)s.") % {
        "points": -row["points_delta"],
        "balance": row["points_balance_after"],
    }


def _stamped(answer: Answer) -> str:
    stamps, unlocked = answer.data[0]["stamps_delta"], sum(row["type"] == "reward" for row in answer.data)
    text = ngettext("%(num)s stamp.", "%(num)s stamps.", stamps) % {"num": stamps}
    return f"{text} {gettext('The card is full: hand the reward over below.')}" if unlocked else text


def _discounted(answer: Answer) -> str:
    redemption = answer.data
    return gettext("Take %(amount)s %(currency)s off.") % {
        "amount": redemption["discount_amount"],
        "currency": redemption["currency"],
    }
