"""Indexes of the lists of deliveries and events, and of the statistics of an endpoint."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_INDEXES = (
    ("webhook_deliveries", "newest", "(tenant_id, created_at, id)"),
    ("webhook_deliveries", "endpoint", "(tenant_id, endpoint_id, created_at, id)"),
    ("webhook_deliveries", "event", "(tenant_id, event, created_at, id)"),
    ("webhook_deliveries", "unsuccessful", "(tenant_id, status, created_at, id) where status <> 'succeeded'"),
    (
        "webhook_attempts",
        "endpoint",
        "(tenant_id, endpoint_id, started_at) include (duration_ms, status_code, error_stage)",
    ),
    ("webhook_events", "event", "(tenant_id, event, sequence)"),
)
_NOT_INDEXED = sa.text("""
    select day.inhrelid::regclass::text from pg_inherits day
     where day.inhparent = cast(:table as regclass) and not exists (
        select from pg_inherits attached join pg_index on indexrelid = attached.inhrelid
         where attached.inhparent = cast(:index as regclass) and indrelid = day.inhrelid)
""")


def upgrade() -> None:
    # Day by day and concurrently: senders and intake go on writing. What a failed attempt left is made again.
    with op.get_context().autocommit_block():
        for table, name, definition in _INDEXES:
            index = f"ix_{table}_{name}"
            op.execute(f"create index if not exists {index} on only {table} {definition}")
            for day in op.get_bind().execute(_NOT_INDEXED, {"table": table, "index": index}).scalars().all():
                op.execute(f"drop index concurrently if exists {day}_{name}")
                op.execute(f"create index concurrently {day}_{name} on {day} {definition}")
                op.execute(f"alter index {index} attach partition {day}_{name}")
