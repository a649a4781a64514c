"""Scheduled work, in batches, that may be started twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from sqlalchemy import Engine

from loyalty_common import idempotency as replies
from loyalty_common.messaging import inbox as received
from loyalty_common.pruning import prune
from loyalty_programs.jobs.expiry import expire_points
from loyalty_programs.jobs.reconciliations import forget_addresses
from loyalty_programs.models import erasure, idempotency, inbox


def all_jobs(engine: Engine) -> Mapping[str, Callable[[], int]]:
    """Each says how much it had to do: rows that nobody can ask for, members whose points expired, customers erased."""
    return {
        "expire_points": partial(expire_points, engine),
        "forget_addresses": partial(forget_addresses, engine),
        "forget_erased": partial(erasure.carry_out, engine),
        "prune_idempotency": partial(prune, engine, idempotency.c.created_at, days=replies.RETENTION_DAYS),
        "prune_inbox": partial(prune, engine, inbox.c.received_at, days=received.RETENTION_DAYS),
    }
