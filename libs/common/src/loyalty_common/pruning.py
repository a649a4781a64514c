"""Forgetting what nobody can ask for any more."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Engine, any_, bindparam, delete, func, literal_column, select

_BATCH = 5_000


def prune(engine: Engine, moment: Column[datetime], *, days: int) -> int:
    """Delete the rows whose ``moment`` lies more than ``days`` back by the database's clock; how many went.

    In short transactions that pass over locked rows, so that any number of these may run beside the traffic.
    """
    table = moment.table
    place: ColumnElement[Any] = literal_column("ctid")
    doomed = (
        select(place)
        .select_from(table)
        .where(moment < func.now() - func.make_interval(0, 0, 0, bindparam("days")))
        .limit(_BATCH)
        .with_for_update(skip_locked=True)
    )
    statement = delete(table).where(place == any_(func.array(doomed.scalar_subquery())))
    removed = 0
    while True:
        with engine.begin() as connection:
            count = connection.execute(statement, {"days": days}).rowcount
        removed += count
        if count < _BATCH:
            return removed
