"""One delivery, one HTTP request, one judgement."""

from __future__ import annotations

import random
from collections.abc import Collection
from datetime import UTC, datetime

from loyalty_common import tracing
from loyalty_webhooks.domain.claiming import ClaimedDelivery
from loyalty_webhooks.domain.learning import Completion
from loyalty_webhooks.domain.outcomes import judge
from loyalty_webhooks.domain.secret_box import SecretBox
from loyalty_webhooks.transport.client import Client
from loyalty_webhooks.transport.posting import Poster, Posting


class Attempter:
    """Signs with the endpoint's secrets and sends the stored bytes. Thread-safe."""

    def __init__(self, *, client: Client, secret_box: SecretBox, http_hosts: Collection[str]) -> None:
        self._poster = Poster(client=client, http_hosts=http_hosts)
        self._secret_box = secret_box

    def attempt(self, delivery: ClaimedDelivery) -> Completion:
        """Whatever the receiver does is an attempt. What raises is our own fault and counts as none."""
        span = tracing.begin(f"attempt {delivery.event}", kind="client", parent=delivery.traceparent)
        attempt = self._poster.post(self._posting(delivery))
        outcome = judge(attempt, now=datetime.now(UTC), chance=random.random())  # noqa: S311 (jitter)
        span.end(
            failed=outcome.status != "succeeded",
            tenant_id=delivery.tenant_id,
            endpoint_id=delivery.endpoint_id,
            delivery_id=delivery.delivery_id,
            attempt=attempt.number,
            status=attempt.status_code,
            error_stage=attempt.error_stage,
        )
        return delivery, attempt, outcome

    def _posting(self, delivery: ClaimedDelivery) -> Posting:
        return Posting(
            url=delivery.url,
            signing_secrets=self._secret_box.open_all(
                delivery.sealed_secret,
                delivery.previous_sealed_secret,
                tenant_id=delivery.tenant_id,
                endpoint_id=delivery.endpoint_id,
            ),
            event=delivery.event,
            event_id=str(delivery.event_id),
            delivery_id=delivery.delivery_id,
            number=delivery.attempt_count + 1,
            body=delivery.payload.encode(),
        )
