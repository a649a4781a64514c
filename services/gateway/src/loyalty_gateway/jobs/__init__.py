"""Scheduled work, in batches, that may be started twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from sqlalchemy import Engine

from loyalty_common import idempotency as replies
from loyalty_common.messaging import inbox as received
from loyalty_common.pruning import prune
from loyalty_gateway.models import idempotency, inbox, metadata

# Whoever asks about one that is over is told so for a while; then it is nobody's.
_CREDENTIAL_DAYS = 30


def all_jobs(engine: Engine) -> Mapping[str, Callable[[], int]]:
    """Each forgets what nobody can ask for any more, and says how many rows that were."""
    return {
        "prune_idempotency": partial(prune, engine, idempotency.c.created_at, days=replies.RETENTION_DAYS),
        "prune_inbox": partial(prune, engine, inbox.c.received_at, days=received.RETENTION_DAYS),
        "prune_links": partial(prune, engine, metadata.tables["one_time_links"].c.expires_at, days=_CREDENTIAL_DAYS),
        "prune_sessions": partial(prune, engine, metadata.tables["sessions"].c.expires_at, days=_CREDENTIAL_DAYS),
    }
