"""Scheduled work, in batches and short transactions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import Engine

from loyalty_common import idempotency as replies
from loyalty_common.messaging import inbox as received
from loyalty_common.pruning import prune
from loyalty_webhooks.domain.redacting import redact
from loyalty_webhooks.domain.resealing import reseal
from loyalty_webhooks.domain.secret_box import SecretBox
from loyalty_webhooks.jobs import partitions
from loyalty_webhooks.models import idempotency, inbox


def all_jobs(engine: Engine, secret_box: SecretBox) -> Mapping[str, Callable[[], object]]:
    return {
        "make_partitions": lambda: partitions.make_ahead(engine, today=datetime.now(UTC).date()),
        "drop_old_events": lambda: partitions.drop_old(engine, today=datetime.now(UTC).date()),
        "redact_erased": partial(redact, engine),
        "reseal_secrets": partial(reseal, engine, secret_box),
        "prune_inbox": partial(prune, engine, inbox.c.received_at, days=received.RETENTION_DAYS),
        "prune_idempotency": partial(prune, engine, idempotency.c.created_at, days=replies.RETENTION_DAYS),
    }
