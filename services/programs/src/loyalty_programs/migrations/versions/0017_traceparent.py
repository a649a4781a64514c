"""An event says in which trace it was caused."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Nullable and without a default, so that the release before this one goes on writing its rows.
    op.add_column("outbox", sa.Column("traceparent", sa.Text, comment="of the work that caused the event"))
