"""A limit on failed attempts per client address, asked before anybody is authenticated.

Only well-formed keys that turn out to be nobody's are counted: they cost a look-up. Garbage costs nothing, and keys
cannot be guessed; this keeps a flood from the database.
"""

from __future__ import annotations

import math
from functools import lru_cache
from ipaddress import ip_address, ip_network

from loyalty_gateway.domain.gcra import Bucket
from loyalty_gateway.domain.limits import LocalLimits

_PER_MINUTE = 600
_BURST = 200


class FailedAttempts:
    def __init__(self, limits: LocalLimits) -> None:
        self._limits = limits

    def wait_s(self, address: str) -> int:
        """How long this address has to wait before it may try again; mostly 0."""
        wait_us = self._limits.wait_us(_bucket(address))
        return math.ceil(wait_us / 1_000_000)

    def count(self, address: str) -> None:
        self._limits.take((_bucket(address),))


@lru_cache(maxsize=4096)
def _bucket(address: str) -> Bucket:
    return Bucket.of("address", household(address), per_minute=_PER_MINUTE, burst=_BURST)


def household(address: str) -> str:
    """IPv6 by /64: one customer of a provider can use all addresses of one."""
    if ":" not in address:
        return address
    parsed = ip_address(address.partition("%")[0])
    return str(ip_network((parsed, 64), strict=False))
