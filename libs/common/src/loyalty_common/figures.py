"""Figures of a process's database connections."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import Metric
from sqlalchemy import Engine, QueuePool

from loyalty_common.metrics import Asked, gauge


def pool_figures(engine: Engine) -> Asked:
    pool = engine.pool
    assert isinstance(pool, QueuePool)

    def ask() -> Iterator[Metric]:
        yield gauge("loyalty_database_pool_in_use", "Connections that a thread holds.", pool.checkedout())
        yield gauge("loyalty_database_pool_size", "Connections that the process may have.", pool.size())

    return Asked(ask)
