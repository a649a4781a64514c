"""Scheduled work, in batches, that may be started twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from loyalty_common import idempotency


def all_jobs(engine: Engine) -> Mapping[str, Callable[[], object]]:
    return {"prune_idempotency": lambda: prune_idempotency(engine)}


def prune_idempotency(engine: Engine) -> int:
    """Forget replies that no retry can ask for any more; how many went."""
    return idempotency.prune(engine, before=datetime.now(UTC) - timedelta(days=idempotency.RETENTION_DAYS))
