"""One signed request, and what became of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from loyalty_webhooks.domain import targets
from loyalty_webhooks.domain.outcomes import Attempt
from loyalty_webhooks.domain.signing import delivery_headers
from loyalty_webhooks.transport.client import Answer, Client
from loyalty_webhooks.transport.errors import AddressRefused


@dataclass(frozen=True, slots=True)
class Posting:
    """``signing_secrets``: the current one first. ``number``: which attempt this is, from 1."""

    url: str
    signing_secrets: Sequence[str]
    event: str
    event_id: str
    delivery_id: int
    number: int
    body: bytes


class Poster:
    """Signs and sends. Whatever the receiver does is an attempt; what raises is our own fault. Thread-safe."""

    def __init__(self, *, client: Client, http_hosts: Collection[str]) -> None:
        self._client = client
        self._http_hosts = http_hosts

    def post(self, posting: Posting) -> Attempt:
        started_at = datetime.now(UTC)
        answer = self._send(posting, timestamp=int(started_at.timestamp()))
        return Attempt(
            number=posting.number,
            started_at=started_at,
            duration_ms=answer.duration_ms,
            status_code=answer.status_code,
            error_stage=answer.failure.stage if answer.failure else None,
            error_message=answer.failure.message if answer.failure else None,
            response_headers=answer.headers,
            response_body=answer.body,
            response_truncated=answer.truncated,
        )

    def _send(self, posting: Posting, *, timestamp: int) -> Answer:
        headers = delivery_headers(
            signing_secrets=posting.signing_secrets,
            event=posting.event,
            event_id=posting.event_id,
            delivery_id=posting.delivery_id,
            attempt=posting.number,
            timestamp=timestamp,
            body=posting.body,
        )
        try:
            target = targets.parse(posting.url, http_hosts=self._http_hosts)
        except targets.UrlRefused:
            # Allowed when the endpoint was made, and no longer: the operator closed http for its host.
            return Answer(duration_ms=0, failure=AddressRefused())
        return self._client.post(target, headers=headers, body=posting.body)
