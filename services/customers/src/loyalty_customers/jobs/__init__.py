"""Scheduled work, in batches, that may be started twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from sqlalchemy import Engine

from loyalty_common import idempotency as replies
from loyalty_common.pruning import prune
from loyalty_customers.models import ImportRow, idempotency

_IMPORT_ERRORS_DAYS = 30


def all_jobs(engine: Engine) -> Mapping[str, Callable[[], int]]:
    """Each forgets what nobody can ask for any more, and says how many rows that were."""
    return {
        "prune_idempotency": partial(prune, engine, idempotency.c.created_at, days=replies.RETENTION_DAYS),
        "prune_import_errors": partial(prune, engine, ImportRow.__table__.c.failed_at, days=_IMPORT_ERRORS_DAYS),
    }
