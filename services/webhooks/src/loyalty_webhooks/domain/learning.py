"""What a batch of attempts teaches of the lanes it went through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection

from loyalty_common.messaging.outbox import outbox_row
from loyalty_webhooks.domain import lanes
from loyalty_webhooks.domain.claiming import ClaimedDelivery
from loyalty_webhooks.domain.health import Health, after, reason_to_give_up
from loyalty_webhooks.domain.limits import LaneKey
from loyalty_webhooks.domain.outcomes import Attempt, Outcome
from loyalty_webhooks.events import EndpointDisabled

Completion = tuple[ClaimedDelivery, Attempt, Outcome]


@dataclass(frozen=True, slots=True)
class Lesson:
    """``health`` as it is now; with ``notice``, a row of the outbox, if the endpoint is to be disabled."""

    health: Health
    reason: str | None = None
    notice: Mapping[str, Any] | None = None

    def row(self, lane: LaneKey) -> dict[str, Any]:
        return {**lane._asdict(), **self.health._asdict(), "reason": self.reason, **(self.notice or {})}


def lessons(connection: Connection, completions: Sequence[Completion]) -> dict[LaneKey, Lesson]:
    """What there is to be written of lanes; those are locked. Of most lanes that answer as ever there is nothing."""
    gone_through: dict[LaneKey, list[Completion]] = {}
    for completion in completions:
        delivery = completion[0]
        gone_through.setdefault(LaneKey(delivery.tenant_id, delivery.endpoint_id), []).append(completion)
    now, known = lanes.known(connection, gone_through)
    teaching = {
        lane: them for lane, them in gone_through.items() if _learn(known[lane], them, now) != Lesson(known[lane])
    }
    if not teaching:
        return {}
    now, known = lanes.known_and_locked(connection, teaching)
    return {lane: _learn(known[lane], them, now) for lane, them in teaching.items()}


def _learn(health: Health, completions: Sequence[Completion], now: datetime) -> Lesson:
    for delivery, attempt, outcome in completions:
        health = after(health, attempt, outcome, now=now, max_in_flight=delivery.max_in_flight)
        reason = reason_to_give_up(health, outcome, now=now)
        if reason is not None:
            # Should the merchant open it again, it begins like a new one.
            return Lesson(Health(), reason, _notice(delivery, reason, now))
    return Lesson(health)


def _notice(delivery: ClaimedDelivery, reason: str, now: datetime) -> dict[str, Any]:
    fact = EndpointDisabled(
        endpoint_id=delivery.endpoint_id,
        host=urlsplit(delivery.url).hostname or "",
        reason=reason,
        disabled_at=now,
    )
    row = outbox_row(event=fact.name, data=fact.data(), created_at=now)
    return {"notice_id": row["id"], "event": row["event"], "payload": row["payload"]}
