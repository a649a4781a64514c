"""See a customer whole: what every service has to do with him."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import marshmallow as ma
from flask import Response, current_app

from loyalty_common import database, fields, pagination, web
from loyalty_common.envelope import timestamp
from loyalty_common.openapi import Blueprint
from loyalty_customers.api.schemas import Customer
from loyalty_customers.domain import queries
from loyalty_customers.domain.composing import Entry, Suite, newest

_KINDS = "What happened, such as points.earn or voucher.redeemed. The object stands beside it under its noun."
blueprint = Blueprint(
    "Customers as a whole", __name__, url_prefix="/v1/customers/<id:customer_id>", description=__doc__
)


def _objects() -> ma.fields.List[Any]:
    """Each in the full shape that its own service answers."""
    return ma.fields.List(ma.fields.Dict(), required=True)


class TimelineQuery(fields.Schema):
    per_page = fields.Integer(maximum=100, load_default=15)
    cursor = fields.Text(max_length=500, metadata={"description": "As links.next has it; left out to start."})


class Wallet(ma.Schema):
    customer = ma.fields.Nested(Customer, required=True)
    loyalty_cards = _objects()
    stamp_cards = _objects()
    rewards = _objects()
    vouchers = _objects()
    referral_codes = _objects()


class Export(ma.Schema):
    exported_at = ma.fields.DateTime(required=True)
    customer = ma.fields.Nested(Customer, required=True)
    enrollments = _objects()
    transactions = _objects()
    redemptions = _objects()
    reward_claims = _objects()
    stamp_transactions = _objects()
    stamp_rewards = _objects()
    voucher_redemptions = _objects()
    referral_codes = _objects()
    referrals = _objects()
    events = _objects()


class TimelineEntry(ma.Schema):
    at = ma.fields.DateTime(required=True)
    kind = ma.fields.String(required=True, metadata={"description": _KINDS})
    customer = ma.fields.Dict()
    enrollment = ma.fields.Dict()
    transaction = ma.fields.Dict()
    reward_claim = ma.fields.Dict()
    stamp_transaction = ma.fields.Dict()
    stamp_reward = ma.fields.Dict()
    voucher_redemption = ma.fields.Dict()


@blueprint.route("/wallet", methods=["GET"])
@blueprint.operation("customers:read", answers={200: Wallet})
def show_wallet(customer_id: int) -> Response:
    """Show a customer's wallet

    Cards with balances and the next reward, stamp progress, rewards to be handed out, usable vouchers, referral codes.
    `meta.unavailable` names services that did not answer: their lists are empty.
    """
    customer = _customer(customer_id)
    lists, unavailable = _suite().wallet(tenant_id=web.current_call().tenant_id, customer_id=customer_id)
    return web.answer({"customer": customer, **lists}, meta={"unavailable": unavailable})


@blueprint.route("/export", methods=["GET"])
@blueprint.operation("customers:read", answers={200: Export}, timeout_s=30)
def export_customer(customer_id: int) -> Response:
    """Export everything that is held on a customer

    From every service, or 503: half of it would pass for the whole.
    """
    call = web.current_call()
    customer = _customer(customer_id)
    lists = _suite().export(tenant_id=call.tenant_id, customer_id=customer_id)
    return web.answer({"exported_at": timestamp(call.now), "customer": customer, **lists})


@blueprint.route("/timeline", methods=["GET"])
@blueprint.listing("customers:read", of=TimelineEntry, query=TimelineQuery)
def show_timeline(query: Mapping[str, Any], customer_id: int) -> Response:
    """Show what happened with a customer, newest first

    Put together from several services, so it pages by cursor only. What happened at one moment stays on one page, which
    may then be longer than per_page.
    """
    call = web.current_call()
    customer, per_page = _customer(customer_id), query["per_page"]
    before = pagination.decode(query["cursor"])[0] if query["cursor"] else call.now + timedelta(minutes=10)
    found = _suite().timeline(tenant_id=call.tenant_id, customer_id=customer_id, before=before, limit=per_page)
    created_at = datetime.fromisoformat(customer["created_at"])
    if created_at < before:
        found.append(
            Entry(created_at, {"at": customer["created_at"], "kind": "customer.created", "customer": customer})
        )
    page = newest(found, limit=per_page)
    more = len(page) < len(found) or len(page) >= per_page
    links = {
        "first": pagination.link(cursor=""),
        "last": None,
        "prev": None,
        "next": pagination.link(cursor=pagination.encode(page[-1].at, 0)) if more else None,
    }
    meta = {"current_page": None, "last_page": None, "per_page": per_page, "total": None}
    return web.answer([entry.shown for entry in page], meta=meta, links=links)


def _customer(customer_id: int) -> dict[str, Any]:
    with database.transaction(current_app.extensions["engine"], web.current_call().tenant_id) as tx:
        return queries.shown(pagination.one_or_404(queries.by_id(tx, customer_id=customer_id)))


def _suite() -> Suite:
    suite: Suite = current_app.extensions["suite"]
    return suite
