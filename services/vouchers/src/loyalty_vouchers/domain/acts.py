"""What the edge tells every write besides the command itself: by whom, when, under which key, and chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from loyalty_common.idempotency import RequestKey


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
