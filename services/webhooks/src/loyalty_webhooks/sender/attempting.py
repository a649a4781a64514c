"""One delivery, one HTTP request, one judgement."""

from __future__ import annotations

import random
from collections.abc import Collection
from datetime import UTC, datetime

from loyalty_webhooks.domain import targets
from loyalty_webhooks.domain.claiming import ClaimedDelivery
from loyalty_webhooks.domain.completing import Completion
from loyalty_webhooks.domain.outcomes import Attempt, judge
from loyalty_webhooks.domain.secret_box import SecretBox
from loyalty_webhooks.domain.signing import delivery_headers
from loyalty_webhooks.transport.client import Answer, Client
from loyalty_webhooks.transport.errors import AddressRefused


class Attempter:
    """Signs with the endpoint's secret and sends the stored bytes. Thread-safe."""

    def __init__(self, *, client: Client, secret_box: SecretBox, http_hosts: Collection[str]) -> None:
        self._client = client
        self._secret_box = secret_box
        self._http_hosts = http_hosts

    def attempt(self, delivery: ClaimedDelivery) -> Completion:
        """Whatever the receiver does is an attempt. What raises is our own fault and counts as none."""
        started_at = datetime.now(UTC)
        answer = self._post(delivery, timestamp=int(started_at.timestamp()))
        attempt = Attempt(
            number=delivery.attempt_count + 1,
            started_at=started_at,
            duration_ms=answer.duration_ms,
            status_code=answer.status_code,
            error_stage=answer.failure.stage if answer.failure else None,
            error_message=answer.failure.message if answer.failure else None,
            response_headers=answer.headers,
            response_body=answer.body,
            response_truncated=answer.truncated,
        )
        return delivery, attempt, judge(attempt, now=datetime.now(UTC), chance=random.random())  # noqa: S311 (jitter)

    def _post(self, delivery: ClaimedDelivery, *, timestamp: int) -> Answer:
        body = delivery.payload.encode()
        headers = delivery_headers(
            signing_secret=self._secret_box.open(
                delivery.sealed_secret, tenant_id=delivery.tenant_id, endpoint_id=delivery.endpoint_id
            ),
            event=delivery.event,
            event_id=str(delivery.event_id),
            delivery_id=delivery.delivery_id,
            attempt=delivery.attempt_count + 1,
            timestamp=timestamp,
            body=body,
        )
        try:
            target = targets.parse(delivery.url, http_hosts=self._http_hosts)
        except targets.UrlRefused:
            # Allowed when the endpoint was made, and no longer: the operator closed http for its host.
            return Answer(duration_ms=0, failure=AddressRefused())
        return self._client.post(target, headers=headers, body=body)
