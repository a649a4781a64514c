"""See what was sent, what came back, and have it sent again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response

from loyalty_common import fields, pagination, web
from loyalty_common.errors import NotFound
from loyalty_common.openapi import Blueprint
from loyalty_webhooks.api import edge
from loyalty_webhooks.api.delivery_schemas import ListedWebhookDelivery, WebhookDelivery, WebhookDeliveryQuery
from loyalty_webhooks.domain import delivery_queries, redelivering, shapes

blueprint = Blueprint("Webhook deliveries", __name__, url_prefix="/v1/webhook-deliveries", description=__doc__)


def check_exists(*, delivery_id: int) -> None:
    """``NotFound`` for a delivery that is not the caller's."""
    with edge.read() as tx:
        if delivery_queries.shown(tx, delivery_id=delivery_id) is None:
            raise NotFound


@blueprint.route("", methods=["GET"])
@blueprint.listing("webhooks:read", of=ListedWebhookDelivery, query=WebhookDeliveryQuery)
def list_webhook_deliveries(query: Mapping[str, Any]) -> Response:
    """List webhook deliveries

    Those of the last 30 days, without their payloads and attempts.
    """
    with edge.read() as tx:
        return pagination.page_of(
            tx,
            delivery_queries.matching(query),
            by=delivery_queries.NEWEST_FIRST,
            query=query,
            show=lambda row: shapes.listed_delivery(row._mapping),
        )


@blueprint.route("/<id:delivery_id>", methods=["GET"])
@blueprint.operation("webhooks:read", answers={200: WebhookDelivery})
def retrieve_webhook_delivery(delivery_id: int) -> Response:
    """Retrieve a webhook delivery

    With the text that is signed and sent, and the last hundred attempts.
    """
    with edge.read() as tx:
        shown = delivery_queries.shown(tx, delivery_id=delivery_id)
    if shown is None:
        raise NotFound
    return web.answer(shown)


@blueprint.route("/<id:delivery_id>/redeliver", methods=["POST"])
@blueprint.operation("webhooks:write", body=fields.Nothing, answers={200: WebhookDelivery})
def redeliver_webhook_delivery(_: Mapping[str, Any], delivery_id: int) -> Response:
    """Redeliver a webhook delivery

    It is due at once, whatever became of it before, and its attempts are counted on. While it is being sent, nothing
    changes. To an endpoint that is paused, disabled or deleted nothing is redelivered.
    """
    return edge.write(lambda tx, act: redelivering.redeliver(tx, delivery_id=delivery_id, act=act))
