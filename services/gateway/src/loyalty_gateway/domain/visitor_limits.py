"""How often somebody without credentials may try: per account that is named, known or not, and per client address.

Counted before anything is looked up and whatever comes of it, so that it tells nothing of who exists.
"""

from __future__ import annotations

import hashlib
import math
import threading

from loyalty_common.errors import RateLimited
from loyalty_common.fields import normalized_email
from loyalty_gateway.domain.failed_attempts import household
from loyalty_gateway.domain.gcra import MINUTE_US, Bucket
from loyalty_gateway.domain.limits import Limits

# Attempts at once, and then one more every so many seconds.
_SIGN_IN = {"account": (10, 30), "address": (60, 3)}
_RESET = {"account": (3, 1_200), "address": (20, 60)}
_LINK = {"address": (20, 10)}
_SIGN_UP = {"address": (5, 1_200)}


class VisitorLimits:
    """``limits`` are this process's own, or those of all in Redis."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        # Local limits are made for one thread with greenlets; here are several threads.
        self._lock = threading.Lock()

    def sign_in(self, *, email: str, address: str) -> None:
        self._take("sign-in", _SIGN_IN, account=email, address=address)

    def reset(self, *, email: str, address: str) -> None:
        self._take("reset", _RESET, account=email, address=address)

    def link(self, *, address: str) -> None:
        self._take("link", _LINK, address=address)

    def sign_up(self, *, address: str) -> None:
        self._take("sign-up", _SIGN_UP, address=address)

    def _take(self, what: str, rates: dict[str, tuple[int, int]], **named: str) -> None:
        buckets = [_bucket(what, kind, named[kind], *rate) for kind, rate in rates.items()]
        with self._lock:
            decision = self._limits.take(buckets)
        if not decision.allowed:
            wait_s = str(max(1, math.ceil(decision.wait_us / 1_000_000)))
            raise RateLimited(f"Too many attempts: try again in {wait_s} s.", headers={"Retry-After": wait_s})


def _bucket(what: str, kind: str, named: str, burst: int, every_s: int) -> Bucket:
    # An address of a person is in no key of a store.
    name = household(named) if kind == "address" else hashlib.sha256(normalized_email(named).encode()).hexdigest()[:32]
    per_minute = max(1, 60 // every_s)
    # The braces make Redis keep the buckets that are asked together on one node of a cluster.
    return Bucket(kind, f"limit:{{visitors}}:{what}:{kind}:{name}", per_minute, burst, MINUTE_US * every_s // 60)
