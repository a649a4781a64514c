"""How PostgreSQL may carry out the statements of those who look up a few rows, again and again."""

from __future__ import annotations

from typing import Any

import psycopg
from sqlalchemy import Engine, event


def prefer_indexes(engine: Engine) -> None:
    """Plans made while the queue is empty are kept when it is long: none may read tables from end to end.

    Nor may they read bitmaps: only a plain index scan marks the dead entries that it meets, and in the queue every
    delivery leaves some, which would be met again by each claim until the next vacuum.

    Nor may they join but key by key: a plan that hashed a queue of 700 was seen to read its 50,000 for each batch.

    Nor may they be compiled: before a backlog of a million that took 80 to 2,000 ms, and what was compiled takes two.
    """

    @event.listens_for(engine, "connect")
    def prefer(connection: psycopg.Connection[Any], _record: object) -> None:
        for way in ("enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin", "jit"):
            connection.execute(f"set {way} = off")
        connection.commit()
