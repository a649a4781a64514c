"""How much a caller may: the same rule in this process, or in Redis for all processes together."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Protocol

import redis
import structlog

from loyalty_gateway.domain.gcra import Bucket, Decision, decide
from loyalty_gateway.domain.redis_script import RedisScript

_log = structlog.get_logger()
_REDIS_PAUSE_S = 1.0
_FORGET_ABOVE = 10_000


class Limits(Protocol):
    def take(self, buckets: Sequence[Bucket]) -> Decision:
        """Take one from every bucket or from none."""


def monotonic_us() -> int:
    return time.monotonic_ns() // 1000


class LocalLimits:
    """Limits of this process alone. ``parts``: how many processes divide the limits among them."""

    def __init__(self, *, parts: int = 1, clock_us: Callable[[], int] = monotonic_us) -> None:
        self._parts = parts
        self._clock_us = clock_us
        self._arrivals: dict[str, int] = {}
        self._forget_above = _FORGET_ABOVE

    def take(self, buckets: Sequence[Bucket]) -> Decision:
        # No lock: nothing in here lets another greenlet run.
        now_us = self._clock_us()
        if self._parts > 1:
            buckets = [_share(bucket, self._parts) for bucket in buckets]
        decision, moved = decide(
            buckets, [self._arrivals.get(bucket.store_key, 0) for bucket in buckets], now_us=now_us
        )
        for bucket, arrival in zip(buckets, moved, strict=True):
            self._arrivals[bucket.store_key] = arrival
        if len(self._arrivals) > self._forget_above:
            self._forget_full_buckets(now_us)
        return decision

    def wait_us(self, bucket: Bucket) -> int:
        """How long ``take`` would refuse; takes nothing."""
        arrival = self._arrivals.get(bucket.store_key)
        if arrival is None:
            return 0
        decision, _ = decide([bucket], [arrival], now_us=self._clock_us())
        return 0 if decision.allowed else decision.wait_us

    def _forget_full_buckets(self, now_us: int) -> None:
        self._arrivals = {key: arrival for key, arrival in self._arrivals.items() if arrival > now_us}
        # Doubling keeps this sweep rare when that many callers are really at work.
        self._forget_above = max(_FORGET_ABOVE, 2 * len(self._arrivals))


class SharedLimits:
    """Limits of all replicas, in one Redis call; this process's part of them while Redis is slow or gone."""

    def __init__(self, script: RedisScript, *, fallback: LocalLimits) -> None:
        self._script = script
        self._fallback = fallback
        self._away = False
        self._ask_again_at = 0.0
        self._decided_alone = 0

    def take(self, buckets: Sequence[Bucket]) -> Decision:
        if self._away:
            if time.monotonic() < self._ask_again_at:
                return self._alone(buckets)
            # Before the call: of many requests at this moment one finds out whether Redis is back.
            self._ask_again_at = time.monotonic() + _REDIS_PAUSE_S
        try:
            decision = self._ask(buckets)
        except (redis.RedisError, OSError) as error:
            self._ask_again_at = time.monotonic() + _REDIS_PAUSE_S
            if not self._away:
                self._away = True
                _log.warning("limits_local", error=type(error).__name__)
            return self._alone(buckets)
        if self._away:
            self._away = False
            _log.info("limits_shared", decided_alone=self._decided_alone)
            self._decided_alone = 0
        return decision

    def _alone(self, buckets: Sequence[Bucket]) -> Decision:
        self._decided_alone += 1
        return self._fallback.take(buckets)

    def _ask(self, buckets: Sequence[Bucket]) -> Decision:
        allowed, index, remaining, wait_us = self._script(
            [bucket.store_key for bucket in buckets],
            [number for bucket in buckets for number in (bucket.emission_us, bucket.burst)],
        )
        return Decision(bool(allowed), buckets[index - 1], remaining, wait_us, "redis")


def open_limits(redis_url: str | None, *, parts: int, redis_timeout_s: float = 0.05) -> Limits:
    """Shared limits where there is a Redis, else local ones."""
    local = LocalLimits(parts=parts)
    if redis_url is None:
        return local
    source = (files(__package__) / "gcra.lua").read_text()
    return SharedLimits(RedisScript(redis_url, source, timeout_s=redis_timeout_s), fallback=local)


@lru_cache(maxsize=_FORGET_ABOVE)
def _share(bucket: Bucket, parts: int) -> Bucket:
    return bucket.share(parts)
