"""An event remembers, while it waits in the outbox, which e-mail it says is free again."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Nullable and without a default, so that the release before this one goes on writing its rows.
    column = sa.Column("freed_email", sa.Text, comment="digest of the e-mail that this event says is free again")
    op.add_column("outbox", column)
    op.create_index(
        "ix_outbox_freed_email",
        "outbox",
        ["tenant_id", "freed_email"],
        postgresql_where=sa.text("freed_email is not null"),
    )
