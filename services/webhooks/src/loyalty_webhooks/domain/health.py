"""What attempts teach of their endpoint: how much it can take, when to leave it alone, when to give it up. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from loyalty_webhooks.domain.outcomes import Attempt, Outcome

START_IN_FLIGHT = 4
FAST_MS = 1_000
OPENS_AFTER = 5
_FIRST_BLOCK_S = 10
_LONGEST_BLOCK_S = 15 * 60
_GIVEN_UP_AFTER = timedelta(days=5)
_GIVEN_UP_FAILURES = 20
# A timeout makes a lane slow at once; a slow answer now and then does not, and four fast ones make up for either.
_SLOW_FROM, _SLOWEST, _TIMEOUT, _SLOW_ANSWER = 4, 8, 4, 2
_FAILING_FROM = 3
_TIMEOUT_STAGES = ("dns", "connect", "deadline")
_TOO_MANY_REQUESTS, _SERVER_ERRORS = 429, 500


class Pace(StrEnum):
    """``fast`` lanes answer; of ``fresh`` ones nothing is known yet; ``slow`` ones hold a thread for long, or fail."""

    FAST = "fast"
    FRESH = "fresh"
    SLOW = "slow"


class Health(NamedTuple):
    """What models/lanes.py keeps of an endpoint. Without arguments: of a new one."""

    in_flight_limit: int = START_IN_FLIGHT
    is_proven: bool = False
    slowness: int = 0
    failures: int = 0
    failing_since: datetime | None = None
    times_opened: int = 0
    blocked_until: datetime | None = None

    @property
    def pace(self) -> Pace:
        if self.failures >= _FAILING_FROM or self.slowness >= _SLOW_FROM:
            return Pace.SLOW
        return Pace.FAST if self.is_proven else Pace.FRESH

    def is_blocked(self, now: datetime) -> bool:
        return self.blocked_until is not None and self.blocked_until > now

    @property
    def is_half_open(self) -> bool:
        """Once it is no longer blocked: one request may find out whether the endpoint answers again."""
        return self.times_opened > 0


def after(health: Health, attempt: Attempt, outcome: Outcome, *, now: datetime, max_in_flight: int) -> Health:
    """``health`` as an attempt that just ended leaves it. ``now`` is the database's."""
    if outcome.status == "succeeded":
        return _after_success(health, is_fast=attempt.duration_ms <= FAST_MS, max_in_flight=max_in_flight)
    return _after_failure(health, attempt, outcome, now=now)


def _after_success(health: Health, *, is_fast: bool, max_in_flight: int) -> Health:
    limit, slowness = health.in_flight_limit, health.slowness
    return Health(
        in_flight_limit=min(limit + 1, max_in_flight) if is_fast else min(limit, max_in_flight),
        is_proven=True,
        slowness=max(slowness - 1, 0) if is_fast else min(slowness + _SLOW_ANSWER, _SLOWEST),
        # A receiver that asked for a pause is given it, though it answered others meanwhile; the breaker closes.
        blocked_until=health.blocked_until if health.times_opened == 0 else None,
    )


def _after_failure(health: Health, attempt: Attempt, outcome: Outcome, *, now: datetime) -> Health:
    failures = health.failures + 1
    timed_out = attempt.error_stage in _TIMEOUT_STAGES or attempt.duration_ms > FAST_MS
    failed = health._replace(
        in_flight_limit=max(health.in_flight_limit // 2, 1) if _is_overload(attempt) else health.in_flight_limit,
        slowness=min(health.slowness + _TIMEOUT, _SLOWEST) if timed_out else health.slowness,
        failures=failures,
        failing_since=health.failing_since or now,
    )
    # What was under way when the breaker opened, and fails too, tells nothing new.
    if failures >= OPENS_AFTER and not health.is_blocked(now):
        block_s = min(_FIRST_BLOCK_S * 2 ** min(health.times_opened, 10), _LONGEST_BLOCK_S)
        failed = _blocked(failed._replace(times_opened=min(health.times_opened + 1, 99)), block_s, now=now)
    return _blocked(failed, outcome.lane_pause_s, now=now) if outcome.lane_pause_s else failed


def _blocked(health: Health, seconds: float, *, now: datetime) -> Health:
    until = now + timedelta(seconds=seconds)
    return health._replace(blocked_until=max(until, health.blocked_until or until))


def _is_overload(attempt: Attempt) -> bool:
    status = attempt.status_code
    return attempt.error_stage is not None or status == _TOO_MANY_REQUESTS or (status or 0) >= _SERVER_ERRORS


def reason_to_give_up(health: Health, outcome: Outcome, *, now: datetime) -> str | None:
    """Why the endpoint is to be disabled: it said that it is ``gone``, or is ``failing`` for too long."""
    if outcome.endpoint_gone:
        return "gone"
    if health.failures < _GIVEN_UP_FAILURES or health.failing_since is None:
        return None
    return "failing" if now - health.failing_since >= _GIVEN_UP_AFTER else None
