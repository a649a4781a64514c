"""For the service that composes what the suite knows of a customer."""

from __future__ import annotations

import orjson
from flask import Blueprint, Response, current_app
from sqlalchemy import BigInteger, bindparam, or_, select

from loyalty_common import database, web
from loyalty_webhooks.models import WebhookEvent

blueprint = Blueprint("internal", __name__, url_prefix="/internal")

_CUSTOMER = bindparam("customer_id", type_=BigInteger)
_EVENTS = (
    select(WebhookEvent.payload)
    .where(
        WebhookEvent.tenant_id == bindparam("tenant_id", type_=BigInteger),
        or_(WebhookEvent.customer_id == _CUSTOMER, WebhookEvent.referred_customer_id == _CUSTOMER),
    )
    .order_by(WebhookEvent.sequence)
)


@blueprint.get("/customers/<id:customer_id>/export")
def export_customer(customer_id: int) -> Response:
    """``{"events": […]}``: those in the log that tell of the customer, as they are delivered, oldest first."""
    with database.transaction(current_app.extensions["engine"], web.current_call().tenant_id) as tx:
        payloads = tx.execute(_EVENTS, {"customer_id": customer_id}).scalars().all()
    return web.answer({"events": [orjson.loads(payload) for payload in payloads]})
