"""Tell where events are to be sent."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from flask import Response, current_app

from loyalty_common import pagination, web
from loyalty_common.openapi import Blueprint
from loyalty_webhooks.api import edge
from loyalty_webhooks.api.schemas import (
    DeletedWebhookEndpoint,
    NewWebhookEndpoint,
    WebhookEndpoint,
    WebhookEndpointChanges,
    WebhookEndpointFields,
    WebhookEndpointQuery,
)
from loyalty_webhooks.domain import endpoint_changes, endpoints, queries, shapes, targets
from loyalty_webhooks.domain.errors import EndpointAddressRefused, UrlNotAllowed
from loyalty_webhooks.domain.secret_box import new_signing_secret
from loyalty_webhooks.transport.dialing import Dialer
from loyalty_webhooks.transport.errors import AttemptFailed

blueprint = Blueprint("Webhooks", __name__, url_prefix="/v1/webhook-endpoints", description=__doc__)


def check_exists(*, endpoint_id: int) -> None:
    """``NotFound`` for an endpoint that is not the caller's."""
    with edge.read() as tx:
        pagination.one_or_404(queries.by_id(tx, endpoint_id=endpoint_id))


@blueprint.route("", methods=["GET"])
@blueprint.listing("webhooks:read", of=WebhookEndpoint, query=WebhookEndpointQuery)
def list_webhook_endpoints(query: Mapping[str, Any]) -> Response:
    """List webhook endpoints"""
    with edge.read() as tx:
        return pagination.page_of(
            tx,
            queries.matching(query),
            by=queries.NEWEST_FIRST,
            query=query,
            show=lambda row: shapes.endpoint(row._mapping),
        )


@blueprint.route("/<id:endpoint_id>", methods=["GET"])
@blueprint.operation("webhooks:read", answers={200: WebhookEndpoint})
def retrieve_webhook_endpoint(endpoint_id: int) -> Response:
    """Retrieve a webhook endpoint"""
    with edge.read() as tx:
        row = pagination.one_or_404(queries.by_id(tx, endpoint_id=endpoint_id))
    return web.answer(shapes.endpoint(row._mapping))


@blueprint.route("", methods=["POST"])
@blueprint.operation("webhooks:write", body=WebhookEndpointFields, answers={201: NewWebhookEndpoint})
def create_webhook_endpoint(sent: Mapping[str, Any]) -> Response:
    """Create a webhook endpoint

    The signing secret is in this answer only.
    """
    extensions = current_app.extensions
    refusal = _look_at(sent["url"], dialer=extensions["dialer"])
    signing_secret = new_signing_secret(os.urandom(32))
    return edge.write(
        lambda tx, act: endpoints.create(
            tx,
            settings=dict(sent),
            signing_secret=signing_secret,
            secret_box=extensions["secret_box"],
            address_refusal=refusal,
            act=act,
        )
    )


@blueprint.route("/<id:endpoint_id>", methods=["PATCH"])
@blueprint.operation("webhooks:write", body=WebhookEndpointChanges, answers={200: WebhookEndpoint})
def change_webhook_endpoint(sent: Mapping[str, Any], endpoint_id: int) -> Response:
    """Change a webhook endpoint

    What is left out stays as it is. While is_active is false, nothing new is delivered and what is pending waits.
    To set it to true also opens an endpoint again that we had disabled. What is sent from then on goes to the new url.
    """
    refusal = None
    if "url" in sent:
        # Whose endpoint it is comes before where it is to be: nobody has hosts looked at in another's name.
        check_exists(endpoint_id=endpoint_id)
        refusal = _look_at(sent["url"], dialer=current_app.extensions["dialer"])
    return edge.write(
        lambda tx, act: endpoint_changes.update(
            tx, endpoint_id=endpoint_id, changes=sent, address_refusal=refusal, act=act
        )
    )


@blueprint.route("/<id:endpoint_id>", methods=["DELETE"])
@blueprint.operation("webhooks:write", answers={200: DeletedWebhookEndpoint})
def delete_webhook_endpoint(endpoint_id: int) -> Response:
    """Delete a webhook endpoint

    What is pending for it is cancelled.
    """
    return edge.write(lambda tx, act: endpoints.delete(tx, endpoint_id=endpoint_id, act=act))


def _look_at(url: str, *, dialer: Dialer) -> EndpointAddressRefused | None:
    """Judge the addresses behind a URL, as every connection to it will again. Asks the DNS."""
    try:
        target = targets.parse(url, http_hosts=current_app.config["HTTP_HOSTS"])
    except targets.UrlRefused as refused:
        raise UrlNotAllowed(str(refused)) from None
    try:
        dialer.vet(target)
    except AttemptFailed as failed:
        return EndpointAddressRefused(failed.message)
    return None
