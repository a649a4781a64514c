"""Tell where events are to be sent."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from flask import Response, current_app

from loyalty_common import database, pagination, web
from loyalty_common.openapi import Blueprint
from loyalty_webhooks.api.schemas import (
    DeletedWebhookEndpoint,
    NewWebhookEndpoint,
    WebhookEndpoint,
    WebhookEndpointFields,
    WebhookEndpointQuery,
)
from loyalty_webhooks.domain import endpoints, queries, targets
from loyalty_webhooks.domain.errors import EndpointAddressRefused, UrlNotAllowed
from loyalty_webhooks.domain.secret_box import new_signing_secret
from loyalty_webhooks.transport.dialing import Dialer
from loyalty_webhooks.transport.errors import AttemptFailed

blueprint = Blueprint("Webhooks", __name__, url_prefix="/v1/webhook-endpoints", description=__doc__)


@blueprint.route("", methods=["GET"])
@blueprint.listing("webhooks:read", of=WebhookEndpoint, query=WebhookEndpointQuery)
def list_webhook_endpoints(query: Mapping[str, Any]) -> Response:
    """List webhook endpoints"""
    call = web.current_call()
    with database.transaction(current_app.extensions["engine"], call.tenant_id) as tx:
        return pagination.page_of(tx, queries.matching(query), by=queries.NEWEST_FIRST, query=query, show=queries.shown)


@blueprint.route("/<id:endpoint_id>", methods=["GET"])
@blueprint.operation("webhooks:read", answers={200: WebhookEndpoint})
def retrieve_webhook_endpoint(endpoint_id: int) -> Response:
    """Retrieve a webhook endpoint"""
    call = web.current_call()
    with database.transaction(current_app.extensions["engine"], call.tenant_id) as tx:
        return web.answer(queries.shown(pagination.one_or_404(queries.by_id(tx, endpoint_id=endpoint_id))))


@blueprint.route("", methods=["POST"])
@blueprint.operation("webhooks:write", body=WebhookEndpointFields, answers={201: NewWebhookEndpoint})
def create_webhook_endpoint(sent: Mapping[str, Any]) -> Response:
    """Create a webhook endpoint

    The signing secret is in this answer only.
    """
    call = web.current_call()
    extensions = current_app.extensions
    refusal = _look_at(sent["url"], dialer=extensions["dialer"])
    request = web.request_key()
    signing_secret = new_signing_secret(os.urandom(32))
    reply = database.perform(
        extensions["engine"],
        call.tenant_id,
        lambda tx: endpoints.create(
            tx,
            settings=dict(sent),
            signing_secret=signing_secret,
            secret_box=extensions["secret_box"],
            address_refusal=refusal,
            request=request,
            at=call.now,
        ),
    )
    return web.respond(reply)


@blueprint.route("/<id:endpoint_id>", methods=["DELETE"])
@blueprint.operation("webhooks:write", answers={200: DeletedWebhookEndpoint})
def delete_webhook_endpoint(endpoint_id: int) -> Response:
    """Delete a webhook endpoint

    What is pending for it is cancelled.
    """
    call = web.current_call()
    request = web.request_key()
    reply = database.perform(
        current_app.extensions["engine"],
        call.tenant_id,
        lambda tx: endpoints.delete(tx, endpoint_id=endpoint_id, request=request, at=call.now),
    )
    return web.respond(reply)


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
