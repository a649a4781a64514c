"""An event, and what is sent of it, stays in the trace in which it was caused."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Nullable and without a default, so that the release before this one goes on writing its rows.
    op.add_column("outbox", sa.Column("traceparent", sa.Text, comment="of the work that caused the event"))
    of_log = sa.Column("traceparent", sa.Text, comment="of the work that took it in, which causes attempts")
    op.add_column("webhook_events", of_log)
