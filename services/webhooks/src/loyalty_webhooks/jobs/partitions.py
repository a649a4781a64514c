"""One partition per day for the log: made ahead, dropped when its events are too old."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, Engine, text

RETENTION_DAYS = 30
DAYS_AHEAD = 7
PARTITIONED = {
    "webhook_events": "created_at",
    "webhook_deliveries": "event_created_at",
    "webhook_attempts": "event_created_at",
}
_LOCK_TIMEOUT = "set local lock_timeout = '2s'"
_ONE_AT_A_TIME = text("select pg_advisory_xact_lock(hashtext('partitions'))")
_PARTITIONS = text("""
    select inhrelid::regclass::text from pg_inherits where inhparent = cast(:parent as regclass) order by 1
""")


def make_ahead(engine: Engine, *, today: date) -> int:
    """Make the partitions of yesterday to a week from today, as far as they are missing; how many were.

    Yesterday's too: an event is filed under the day it happened, and may arrive after midnight.
    """
    days = [today + timedelta(days=offset) for offset in range(-1, DAYS_AHEAD + 1)]
    return sum(_make(engine, parent, day) for parent in PARTITIONED for day in days)


def drop_old(engine: Engine, *, today: date) -> int:
    """Forget everything about events older than 30 days; how many partitions went."""
    oldest = today - timedelta(days=RETENTION_DAYS)
    dropped = 0
    for parent, column in PARTITIONED.items():
        with engine.begin() as connection:
            connection.execute(text(_LOCK_TIMEOUT))
            for partition in _partitions(connection, parent):
                day = _day_of(partition, parent)
                if day is not None and day < oldest:
                    _note_end(connection, parent, partition, before=oldest)
                    connection.execute(text(f"drop table {partition}"))
                    dropped += 1
            _note_end(connection, parent, f"{parent}_default", before=oldest)
            connection.execute(text(f"delete from {parent}_default where {column} < :oldest"), {"oldest": _at(oldest)})  # noqa: S608
    with engine.begin() as connection:
        # Deliveries of a paused endpoint may have waited longer than their events are kept.
        connection.execute(text("delete from delivery_queue where event_created_at < :oldest"), {"oldest": _at(oldest)})
    return dropped


def _note_end(connection: Connection, parent: str, partition: str, *, before: date) -> None:
    """Write down in each tenant's log up to which number it is not whole any more. The order of locks is intake's."""
    if parent == "webhook_events":
        connection.execute(
            text(f"""
                insert into event_sequences (tenant_id, last_sequence, dropped_up_to)
                select tenant_id, max(sequence), max(sequence) from {partition} where created_at < :before
                 group by tenant_id order by tenant_id
                on conflict (tenant_id) do update
                   set dropped_up_to = greatest(event_sequences.dropped_up_to, excluded.dropped_up_to)
            """),  # noqa: S608
            {"before": _at(before)},
        )


def _make(engine: Engine, parent: str, day: date) -> int:
    """Make one partition and attach it; what the default partition caught of that day moves over.

    Attached, not created as a partition: that would lock everybody out of the whole table for the moment.
    """
    partition, column = f"{parent}_{day:%Y%m%d}", PARTITIONED[parent]
    bounds = {"start": _at(day), "end": _at(day + timedelta(days=1))}
    with engine.begin() as connection:
        connection.execute(text(_LOCK_TIMEOUT))
        connection.execute(_ONE_AT_A_TIME)
        if partition in _partitions(connection, parent):
            return 0
        connection.execute(text(f"create table {partition} (like {parent} including all)"))
        moving = f"delete from {parent}_default where {column} >= :start and {column} < :end returning *"  # noqa: S608
        connection.execute(text(f"with moved as ({moving}) insert into {partition} select * from moved"), bounds)  # noqa: S608
        connection.execute(
            text(
                f"alter table {parent} attach partition {partition} "
                f"for values from ('{bounds['start'].isoformat()}') to ('{bounds['end'].isoformat()}')"
            )
        )
    return 1


def _partitions(connection: Connection, parent: str) -> list[str]:
    return list(connection.execute(_PARTITIONS, {"parent": parent}).scalars())


def _day_of(partition: str, parent: str) -> date | None:
    """The day in a partition's name; the default partition has none."""
    suffix = partition.removeprefix(f"{parent}_")
    return datetime.strptime(suffix, "%Y%m%d").date() if suffix.isdigit() else None  # noqa: DTZ007 (a date)


def _at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
