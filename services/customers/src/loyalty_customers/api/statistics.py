"""How a loyalty program is doing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import marshmallow as ma
from flask import Response, current_app

from loyalty_common import fields, web
from loyalty_common.openapi import Blueprint
from loyalty_customers.domain import spans
from loyalty_customers.domain.composing import Suite

blueprint = Blueprint("Statistics", __name__, url_prefix="/v1", description=__doc__)

_MOST_BUCKETS = 400
_DAYS = {"day": 1, "week": 7, "month": 28}


class StatisticsQuery(fields.Schema):
    first = fields.Date(data_key="from", metadata={"description": "30 days before `to` if left out."})
    last = fields.Date(data_key="to", metadata={"description": "Today if left out."})
    interval = fields.Choice("day", "week", "month", load_default="day")
    partner_location_id = fields.Identifier(metadata={"description": "Only what was sold there."})


class Totals(ma.Schema):
    members = ma.fields.Integer(required=True)
    new_members = ma.fields.Integer(required=True)
    points_earned = ma.fields.Integer(required=True)
    points_redeemed = ma.fields.Integer(required=True)
    points_outstanding = ma.fields.Integer(required=True)
    stamps_issued = ma.fields.Integer(required=True)
    stamp_rewards_fulfilled = ma.fields.Integer(required=True)
    vouchers_redeemed = ma.fields.Integer(required=True)
    discount_amount = ma.fields.String(required=True, metadata={"description": "In the organization's currency."})
    referrals_completed = ma.fields.Integer(required=True)


class Bucket(ma.Schema):
    date = ma.fields.Date(required=True, metadata={"description": "The first day of the interval."})
    new_members = ma.fields.Integer(required=True)
    points_earned = ma.fields.Integer(required=True)
    points_redeemed = ma.fields.Integer(required=True)
    stamps_issued = ma.fields.Integer(required=True)
    vouchers_redeemed = ma.fields.Integer(required=True)
    referrals_completed = ma.fields.Integer(required=True)


class Statistics(ma.Schema):
    first = ma.fields.Date(required=True, data_key="from")
    last = ma.fields.Date(required=True, data_key="to")
    interval = ma.fields.String(required=True, metadata={"enum": ["day", "week", "month"]})
    totals = ma.fields.Nested(Totals, required=True)
    buckets = ma.fields.List(ma.fields.Nested(Bucket), required=True)


@blueprint.route("/statistics", methods=["GET"])
@blueprint.operation("programs:read", query=StatisticsQuery, answers={200: Statistics}, timeout_s=30)
def show_statistics(query: Mapping[str, Any]) -> Response:
    """Show what happened in a span of days

    Days are the organization's. What was taken back since counts as not having happened; `points_outstanding` and
    `members` are those of the end of the span as the balances are now.
    """
    call = web.current_call()
    organization = call.organization
    today = spans.local_today(call.now, organization.time_zone)
    last: date = query["last"] or today
    first: date = query["first"] or max(date.min, last - timedelta(days=30))
    if first > last:
        web.refuse_fields({"from": ["The from field must not be after to."]})
    if (last - first).days // _DAYS[query["interval"]] > _MOST_BUCKETS or last.year == date.max.year:
        web.refuse_fields({"from": [f"The span may not have more than {_MOST_BUCKETS} intervals."]})
    asked = {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "interval": query["interval"],
        "time_zone": organization.time_zone,
        "currency": organization.currency,
    }
    if query["partner_location_id"] is not None:
        asked["partner_location_id"] = query["partner_location_id"]
    suite: Suite = current_app.extensions["suite"]
    parts = suite.statistics(tenant_id=call.tenant_id, params=asked)
    return web.answer(spans.merged(*parts, first=first, last=last, interval=query["interval"]))
