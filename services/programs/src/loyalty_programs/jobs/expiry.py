"""Writes off the points whose last day is over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import Engine

from loyalty_common.database import perform
from loyalty_programs.domain import expiry, expiry_facts


def _now() -> datetime:
    return datetime.now(UTC)


def expire_points(engine: Engine, *, now: Callable[[], datetime] = _now) -> int:
    """For how many members points expired.

    In short transactions beside the traffic. Each is whole by itself, so that it may be killed at any moment and
    started again, and any number may run side by side.
    """
    at = now()
    with engine.connect() as connection:
        due = list(expiry_facts.due_cards(connection, at=at))
    expired = 0
    for tenant_id, days in due:
        while count := perform(engine, tenant_id, partial(expiry.expire, days=days, at=now())):
            expired += count
    return expired
