"""For the service that composes what the suite knows of a customer, and of a span of days."""

from __future__ import annotations

from datetime import date
from typing import Any

import marshmallow as ma
from flask import Blueprint, Response, request

from loyalty_common import fields, web
from loyalty_common.time_zones import TIME_ZONES
from loyalty_programs.api import edge
from loyalty_programs.domain import histories, holdings, statistics

blueprint = Blueprint("internal_customers", __name__, url_prefix="/internal")

_MOST_DAYS = 3660


class _Page(fields.Schema):
    before = fields.Timestamp(required=True)
    limit = fields.Integer(maximum=100, load_default=50)


class _Question(fields.Schema):
    first = fields.Date(required=True, data_key="from")
    last = fields.Date(required=True, data_key="to")
    interval = fields.Choice("day", "week", "month", load_default="day")
    time_zone = fields.Text(required=True)
    partner_location_id = fields.Identifier()

    @ma.validates("time_zone")
    def _is_a_place(self, name: str, **_: Any) -> None:
        if name not in TIME_ZONES:
            raise ma.ValidationError("The :field field must be an IANA time zone.")

    @ma.validates_schema
    def _is_a_span(self, asked: dict[str, Any], **_: Any) -> None:
        if not 0 <= (asked["last"] - asked["first"]).days <= _MOST_DAYS or asked["last"].year == date.max.year:
            raise ma.ValidationError({"to": [f"The :field field must be 0 to {_MOST_DAYS} days after from."]})


@blueprint.get("/customers/<id:customer_id>/wallet")
def show_wallet(customer_id: int) -> Response:
    """``{"loyalty_cards", "stamp_cards", "rewards", "referral_codes"}``"""
    with edge.read() as tx:
        return web.answer(holdings.wallet(tx, customer_id=customer_id, now=web.current_call().now))


@blueprint.get("/customers/<id:customer_id>/export")
def export_customer(customer_id: int) -> Response:
    """Every row about the customer, by the name of its list."""
    with edge.read() as tx:
        return web.answer(holdings.on_record(tx, customer_id=customer_id))


@blueprint.get("/customers/<id:customer_id>/timeline")
def show_timeline(customer_id: int) -> Response:
    """``?before=&limit=`` → a list of ``{at, kind, <noun>}``, newest first.

    ``at`` has microseconds: it is the next ``before``. Those of the last moment all come, even past ``limit``.
    """
    page = _Page().load(request.args.to_dict())
    with edge.read() as tx:
        return web.answer(histories.page(tx, customer_id=customer_id, **page))


@blueprint.get("/statistics")
def show_statistics() -> Response:
    """``?from=&to=&interval=&time_zone=&partner_location_id=`` → ``{"totals", "buckets"}``"""
    span = statistics.Span(**_Question().load(request.args.to_dict()))
    with edge.read() as tx:
        return web.answer(statistics.of_span(tx, span))
