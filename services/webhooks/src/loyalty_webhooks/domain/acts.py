"""What the edge tells every write besides the command itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from loyalty_common.idempotency import RequestKey


@dataclass(frozen=True, slots=True)
class Act:
    """Under which key, and when: ``at`` is now, read once."""

    request: RequestKey
    at: datetime
