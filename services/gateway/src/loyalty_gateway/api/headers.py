"""Which headers cross the gateway: the named ones, in both directions; everything else stays on its side."""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from loyalty_gateway.domain.gcra import Bucket, Decision

Headers = list[tuple[str, str]]

CLIENT_ADDRESS = "X-Loyalty-Client-Address"

# As WSGI names them, and as they are sent.
_FORWARDED = (
    ("HTTP_ACCEPT", "Accept"),
    ("HTTP_ACCEPT_LANGUAGE", "Accept-Language"),
    ("HTTP_IDEMPOTENCY_KEY", "Idempotency-Key"),
)
_RETURNED = frozenset(
    ("content-type", "content-disposition", "idempotent-replayed", "retry-after", "allow", "etag", "link")
)
WRITES = frozenset(("POST", "PUT", "PATCH", "DELETE"))


def to_service(
    environ: Mapping[str, Any], *, token: str, request_id: str, trace: Sequence[tuple[str, str]], body: object
) -> Headers:
    headers = [("Authorization", f"Bearer {token}"), ("X-Request-Id", request_id), *trace]
    headers += [(name, environ[key]) for key, name in _FORWARDED if key in environ]
    if body:
        headers.append(("Content-Type", environ["CONTENT_TYPE"]))
    if environ["REQUEST_METHOD"] in WRITES and "HTTP_IDEMPOTENCY_KEY" not in environ:
        # Every write carries a key, so that the gateway may repeat it after a broken connection.
        headers.append(("X-Loyalty-Request-Key", str(uuid.uuid4())))
    return headers


def to_client(headers: Sequence[tuple[str, str]]) -> Headers:
    """Of an answer's headers, whose names are in lower case."""
    return [header for header in headers if header[0] in _RETURNED]


def of_limits(buckets: Sequence[Bucket], decision: Decision) -> Headers:
    """``RateLimit-*`` (IETF draft) and ``X-RateLimit-*``: all buckets in the policy, the tightest in the rest."""
    wait_s = max(1, math.ceil(decision.wait_us / 1_000_000))
    tightest = decision.bucket
    return [
        ("RateLimit-Policy", ", ".join([f'"{bucket.name}";q={bucket.per_minute};w=60' for bucket in buckets])),
        ("RateLimit", f'"{tightest.name}";r={decision.remaining};t={wait_s}'),
        ("X-RateLimit-Limit", str(tightest.per_minute)),
        ("X-RateLimit-Remaining", str(decision.remaining)),
        ("X-RateLimit-Reset", str(int(time.time()) + wait_s)),
    ]
