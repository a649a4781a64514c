"""Which buckets a request draws from: those of its key, of its organization and, on a costly route, of its class."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from loyalty_gateway.domain.gcra import Bucket

# Reading and writing may use up all that a plan allows; one file costs a service as much as many of these.
_PART_OF_THE_PLAN: Mapping[str, int] = {"files": 20}

Buckets = tuple[Bucket, ...]


def buckets_of(known: Buckets, *, limit_class: str | None) -> Buckets:
    """``known``: those of the key and of its organization, in this order; ``limit_class`` is None without a route."""
    part = _PART_OF_THE_PLAN.get(limit_class or "")
    return known if part is None else _with_class(known, limit_class or "", part)


@lru_cache(maxsize=4096)
def _with_class(known: Buckets, limit_class: str, part: int) -> Buckets:
    organization = known[-1]
    return (
        *known,
        Bucket.of(
            limit_class,
            f"{organization.store_key}:{limit_class}",
            per_minute=max(1, organization.per_minute // part),
            burst=max(1, organization.burst // part),
        ),
    )
