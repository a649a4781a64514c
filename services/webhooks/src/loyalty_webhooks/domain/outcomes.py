"""What an attempt means for its delivery. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from loyalty_webhooks.domain.retries import retry_after_s, retry_in_s

_GONE = 410
# A receiver may put off what it refused by a day, but not, with one slip, everything else for so long.
_LONGEST_PAUSE_S = 60 * 60


@dataclass(frozen=True, slots=True)
class Attempt:
    """``status_code`` is null if no status line came; ``error_stage`` unless the answer was whole."""

    number: int
    started_at: datetime
    duration_ms: int
    status_code: int | None = None
    error_stage: str | None = None
    error_message: str | None = None
    response_headers: Mapping[str, str] = field(default_factory=dict)
    response_body: str | None = None
    response_truncated: bool = False

    @property
    def succeeded(self) -> bool:
        """2xx, and the whole answer came."""
        return self.error_stage is None and self.status_code is not None and 200 <= self.status_code < 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """``status``: succeeded, exhausted, or pending with ``retry_in_s``.

    ``lane_pause_s``: for how long the receiver wants nothing at all.
    """

    status: str
    retry_in_s: float | None = None
    endpoint_gone: bool = False
    lane_pause_s: float | None = None


def judge(attempt: Attempt, *, now: datetime, chance: float) -> Outcome:
    """2xx is success; everything else, redirects too, is tried again until the schedule ends.

    410 also means that the endpoint wants nothing more. Its deliveries wait, should the merchant open it again.
    """
    if attempt.succeeded:
        return Outcome("succeeded")
    wish = retry_after_s(attempt.status_code, attempt.response_headers.get("retry-after"), now=now)
    delay = retry_in_s(failed_attempts=attempt.number, retry_after_s=wish, chance=chance)
    return Outcome(
        "exhausted" if delay is None else "pending",
        retry_in_s=delay,
        endpoint_gone=attempt.status_code == _GONE,
        lane_pause_s=None if wish is None else min(wish, _LONGEST_PAUSE_S),
    )
