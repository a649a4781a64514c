"""For the suite's own services: their part of what is put together from several of them."""

from __future__ import annotations

from datetime import date
from typing import Any

import marshmallow as ma
from flask import Blueprint, Response, request

from loyalty_common import fields, web
from loyalty_common.time_zones import TIME_ZONES
from loyalty_vouchers.api import edge
from loyalty_vouchers.domain import customer_records, queries, shapes, statistics

blueprint = Blueprint("internal", __name__, url_prefix="/internal")

_MOST_DAYS = 3660


class _Page(fields.Schema):
    before = fields.Timestamp()
    limit = fields.Integer(maximum=100, load_default=50)


class _Question(fields.Schema):
    first = fields.Date(required=True, data_key="from")
    last = fields.Date(required=True, data_key="to")
    interval = fields.Choice("day", "week", "month", load_default="day")
    time_zone = fields.Text(load_default="UTC")
    currency = fields.CurrencyCode(required=True)
    partner_location_id = fields.Identifier()

    @ma.validates("time_zone")
    def _is_a_place(self, name: str, **_: Any) -> None:
        if name not in TIME_ZONES:
            raise ma.ValidationError("The :field field must be an IANA time zone.")

    @ma.validates_schema
    def _is_a_period(self, asked: dict[str, date], **_: Any) -> None:
        if not 0 <= (asked["last"] - asked["first"]).days <= _MOST_DAYS or asked["last"].year == date.max.year:
            raise ma.ValidationError({"to": [f"The :field field must be 0 to {_MOST_DAYS} days after from."]})


@blueprint.get("/customers/<id:customer_id>/wallet")
def show_wallet(customer_id: int) -> Response:
    """``{"vouchers": […]}``: the newest 50 that the customer could redeem now, without those of batches."""
    with edge.read() as tx:
        usable = customer_records.usable_vouchers(tx, customer_id=customer_id, at=web.current_call().now)
    return web.answer({"vouchers": [shapes.voucher(row._mapping) for row in usable]})


@blueprint.get("/customers/<id:customer_id>/export")
def export_customer(customer_id: int) -> Response:
    """``{"voucher_redemptions": […]}``: all of them."""
    with edge.read() as tx:
        found = customer_records.redemptions(tx, customer_id=customer_id)
    return web.answer({"voucher_redemptions": [shapes.redemption(row._mapping) for row in found]})


@blueprint.get("/customers/<id:customer_id>/timeline")
def show_timeline(customer_id: int) -> Response:
    """``?before=&limit=`` → a list of ``{at, kind, voucher_redemption}``, newest first.

    ``at`` has microseconds: it is the next ``before``. Those of the last moment all come, even past ``limit``.
    """
    page = _Page().load(request.args.to_dict())
    with edge.read() as tx:
        entries = customer_records.timeline(tx, customer_id=customer_id, **page)
    return web.answer(
        [
            {"at": row.at.isoformat(), "kind": row.kind, "voucher_redemption": shapes.redemption(row._mapping)}
            for row in entries
        ]
    )


@blueprint.get("/statistics")
def show_statistics() -> Response:
    """``?from=&to=&interval=&time_zone=&currency=&partner_location_id=`` → ``{"totals", "buckets"}``, none left out."""
    question = statistics.Question(**_Question().load(request.args.to_dict()))
    with edge.read() as tx:
        return web.answer(statistics.statistics(tx, question))


@blueprint.get("/usage")
def show_usage() -> Response:
    """``{"vouchers": true}`` once the tenant has a voucher: its organization's currency is then settled."""
    with edge.read() as tx:
        return web.answer({"vouchers": queries.has_vouchers(tx)})
