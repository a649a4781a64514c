"""The events that integrators can subscribe to, and what this service tells the suite.

The ten of the reference; contracts: ``contracts/events/``. Of the suite's own: ``contracts/internal/``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from loyalty_common.envelope import timestamp

EVERY_EVENT = "*"
TEST_EVENT = "webhook.test"
"""Comes to an endpoint when its owner asks for it, and only then: nobody subscribes to it."""

EVENT_NAMES = (
    "customer.created",
    "customer.updated",
    "loyalty.enrolled",
    "loyalty.points_earned",
    "loyalty.points_redeemed",
    "loyalty.reward_claimed",
    "stamp.issued",
    "stamp.reward_fulfilled",
    "voucher.redeemed",
    "referral.completed",
)


@dataclass(frozen=True, slots=True)
class EndpointDisabled:
    """We gave an endpoint up, and its merchant is to know. ``host``: that of its URL, which may hold secrets."""

    name: ClassVar = "internal.endpoint_disabled"
    endpoint_id: int
    host: str
    reason: str
    disabled_at: datetime

    def data(self) -> dict[str, Any]:
        return {
            "endpoint_id": self.endpoint_id,
            "host": self.host,
            "reason": self.reason,
            "disabled_at": timestamp(self.disabled_at),
        }
