"""Rotate an endpoint's secret, try it, and see how it has been doing."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

from flask import Response, current_app

from loyalty_common import fields, web
from loyalty_common.idempotency import Reply
from loyalty_common.openapi import Blueprint
from loyalty_webhooks.api import edge
from loyalty_webhooks.api.action_schemas import EndpointStatistics, RotationFields, StatisticsQuery
from loyalty_webhooks.api.delivery_schemas import EndpointTestResult
from loyalty_webhooks.api.endpoints import check_exists
from loyalty_webhooks.api.schemas import NewWebhookEndpoint
from loyalty_webhooks.domain import endpoint_tests, rotating, statistics
from loyalty_webhooks.domain.endpoint_tests import EndpointTest
from loyalty_webhooks.domain.secret_box import SecretBox, new_signing_secret
from loyalty_webhooks.domain.statistics import Span
from loyalty_webhooks.events import TEST_EVENT
from loyalty_webhooks.transport.posting import Posting

blueprint = Blueprint("Webhook actions", __name__, url_prefix="/v1/webhook-endpoints", description=__doc__)

_TEST_TIMEOUT_S = 25
_DAY = timedelta(days=1)


class Waiting:
    """Requests of this process that wait for receivers: few, and one per tenant, so that others find a thread."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._tenants: set[int] = set()
        self._lock = threading.Lock()

    @contextmanager
    def place(self, tenant_id: int) -> Iterator[bool]:
        """Whether there is one; it is kept until the block ends."""
        with self._lock:
            taken = len(self._tenants) < self._places and tenant_id not in self._tenants
            if taken:
                self._tenants.add(tenant_id)
        try:
            yield taken
        finally:
            if taken:
                with self._lock:
                    self._tenants.discard(tenant_id)


@blueprint.route("/<id:endpoint_id>/rotate-secret", methods=["POST"])
@blueprint.operation("webhooks:write", body=RotationFields, answers={200: NewWebhookEndpoint})
def rotate_webhook_secret(sent: Mapping[str, Any], endpoint_id: int) -> Response:
    """Rotate a signing secret

    The new secret is in this answer only. As long as the overlap lasts, deliveries carry the old secret's signature
    too, in X-Loyalty-Signature-Previous and as a second one in webhook-signature; without an overlap the old secret
    signs nothing more.
    """
    signing_secret = new_signing_secret(os.urandom(32))
    secret_box = current_app.extensions["secret_box"]
    return edge.write(
        lambda tx, act: rotating.rotate(
            tx,
            endpoint_id=endpoint_id,
            overlap_hours=sent["overlap_hours"],
            signing_secret=signing_secret,
            secret_box=secret_box,
            act=act,
        )
    )


@blueprint.route("/<id:endpoint_id>/test", methods=["POST"])
@blueprint.operation(
    "webhooks:write", body=fields.Nothing, answers={200: EndpointTestResult}, timeout_s=_TEST_TIMEOUT_S
)
def try_webhook_endpoint(_: Mapping[str, Any], endpoint_id: int) -> Response:
    """Test a webhook endpoint

    Sends a webhook.test now, whatever state the endpoint is in, and answers with what the receiver said. It has no
    sequence and stands in no log. Few tests run at once; 429 asks to come again.
    """
    act, tenant_id = edge.act(), web.current_call().tenant_id
    with current_app.extensions["waiting"].place(tenant_id) as has_room:
        begun = edge.perform(lambda tx: endpoint_tests.begin(tx, endpoint_id=endpoint_id, has_room=has_room, act=act))
        if isinstance(begun, Reply):
            return web.respond(begun)
        attempt = current_app.extensions["poster"].post(_posting(begun))
    return web.respond(edge.perform(lambda tx: endpoint_tests.finish(tx, attempt=attempt, act=act)))


def _posting(test: EndpointTest) -> Posting:
    secret_box: SecretBox = current_app.extensions["secret_box"]
    event_id = str(uuid4())
    return Posting(
        url=test.url,
        signing_secrets=secret_box.open_all(
            test.sealed_secret,
            test.previous_sealed_secret,
            tenant_id=test.tenant_id,
            endpoint_id=test.endpoint_id,
        ),
        event=TEST_EVENT,
        event_id=event_id,
        delivery_id=test.delivery_id,
        number=1,
        body=endpoint_tests.payload(event_id=event_id, endpoint_id=test.endpoint_id, at=web.current_call().now),
    )


@blueprint.route("/<id:endpoint_id>/stats", methods=["GET"])
@blueprint.operation("webhooks:read", query=StatisticsQuery, answers={200: EndpointStatistics})
def retrieve_webhook_statistics(query: Mapping[str, Any], endpoint_id: int) -> Response:
    """Retrieve an endpoint's statistics

    deliveries are those that were made in the time, with what has become of them so far; attempts, and what the
    latencies are of, those that began in it. Buckets begin with the hours or days of UTC.
    """
    until = query["to_at"] or web.current_call().now
    span = Span(query["from_at"] or until - _DAY, until, query["interval"])
    longest = statistics.LONGEST[span.interval]
    if not timedelta(0) < span.until - span.since <= longest:
        web.refuse_fields(
            {"from": [f"The from field must lie before to, at most {longest.days} days by the {span.interval}."]}
        )
    check_exists(endpoint_id=endpoint_id)
    with edge.read() as tx:
        return web.answer(statistics.of_endpoint(tx, endpoint_id=endpoint_id, span=span))
