"""The rule of the rate limits (generic cell rate algorithm), without clock and without store.

A bucket remembers one number: the *arrival*, the moment at which it would be full again if nobody asked any more.
Every request moves it on by one emission interval; it may lie at most ``burst`` intervals ahead of now.
``gcra.lua`` is the same rule for Redis; a property test holds both against a counting model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

MINUTE_US = 60_000_000


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is limited: ``name`` in headers, ``store_key`` in the store. Times are integer microseconds."""

    name: str
    store_key: str
    per_minute: int
    burst: int
    emission_us: int

    @classmethod
    def of(cls, name: str, store_key: str, *, per_minute: int, burst: int) -> Bucket:
        return cls(name, store_key, per_minute, burst, MINUTE_US // per_minute)

    def share(self, parts: int) -> Bucket:
        """What one of ``parts`` processes may give out when they cannot ask each other."""
        return Bucket(self.name, self.store_key, self.per_minute, max(1, self.burst // parts), self.emission_us * parts)


class Decision(NamedTuple):
    """``bucket`` is the tightest one: the one that refused, or the one with the least remaining.

    ``wait_us``: until a request would fit again if refused, else until the bucket is full again.
    ``store``: who decided, ``process`` or ``redis``.
    """

    allowed: bool
    bucket: Bucket
    remaining: int
    wait_us: int
    store: str = "process"


def decide(buckets: Sequence[Bucket], arrivals: Sequence[int], *, now_us: int) -> tuple[Decision, list[int]]:
    """Take one from every bucket or from none; and the arrivals to be stored, also if refused.

    A lowered limit or a clock that went back leaves an arrival farther ahead than an empty bucket's. It is stored as
    that of an empty one: remembered as it was, it would lock the caller out until the clock has come up to it.
    """
    refused: Decision | None = None
    granted: Decision | None = None
    kept, moved = [], []
    for bucket, stored in zip(buckets, arrivals, strict=True):
        empty = now_us + bucket.emission_us * bucket.burst
        kept.append(min(stored, empty))
        arrival = max(kept[-1], now_us) + bucket.emission_us
        moved.append(arrival)
        early_us = arrival - empty
        if early_us > 0:
            if refused is None or early_us > refused.wait_us:
                refused = Decision(False, bucket, 0, early_us)
            continue
        remaining = -early_us // bucket.emission_us
        if granted is None or remaining < granted.remaining:
            granted = Decision(True, bucket, remaining, arrival - now_us)
    if refused is not None:
        return refused, kept
    assert granted is not None, "a decision needs a bucket"
    return granted, moved
