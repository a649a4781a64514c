"""What the edge tells every write besides the command itself: by whom, when, under which key, and chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from loyalty_common.idempotency import RequestKey

AHEAD = timedelta(minutes=5)
"""How far the clock of a till may be ahead of ours: at most so long before it happened a thing is recorded."""
BACK = timedelta(days=30)
"""How long a till may have been offline: at most so long after it happened it says so."""


@dataclass(frozen=True, slots=True)
class Act:
    """``source``: api, dashboard, system or import. ``at``: now, read once.

    ``choose(n)`` is a number of ``range(n)`` that nobody can guess.
    """

    request: RequestKey
    organization_id: int
    source: str
    at: datetime
    choose: Callable[[int], int]

    @property
    def parameters(self) -> dict[str, Any]:
        return {"idempotency_key": self.request.key, "organization_id": self.organization_id}


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a till says, beside who and how much. ``reference`` names it once for ever on a card and operation."""

    occurred_at: datetime
    operation: str | None = None
    reference: str | None = None
    partner_location_id: int | None = None
    notes: str | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        return {
            "operation": self.operation,
            "reference": self.reference,
            "partner_location_id": self.partner_location_id,
        }

    @property
    def columns(self) -> dict[str, Any]:
        """What it puts on the row that was asked for."""
        return {**self.parameters, "notes": self.notes}
