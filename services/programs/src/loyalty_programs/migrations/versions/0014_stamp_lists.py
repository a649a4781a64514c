"""Lists of stamps by a rare type and of rewards by status find their page without reading the others."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_stamp_transactions_of_type",
            "stamp_transactions",
            ["tenant_id", "stamp_card_id", "type", "recorded_at", "id"],
            postgresql_where=sa.text("type <> 'earn'"),
            postgresql_concurrently=True,
        )
        op.create_index(
            "ix_stamp_rewards_of_status",
            "stamp_rewards",
            ["tenant_id", "stamp_card_id", "status", "created_at", "id"],
            postgresql_concurrently=True,
        )
