"""No list reads what it does not show: of redemptions, of a customer's stamp rewards, of entries of reconciliations."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_stamp_rewards_newest_of_membership",
            "stamp_rewards",
            ["tenant_id", "stamp_membership_id", "created_at", "id"],
            postgresql_concurrently=True,
        )
        op.create_index(
            "ux_redemptions_transaction",
            "redemptions",
            ["tenant_id", "transaction_id"],
            unique=True,
            postgresql_concurrently=True,
        )
        op.create_index(
            "ix_reconciliation_entries_newest",
            "reconciliation_entries",
            ["tenant_id", "reconciliation_id", "created_at", "position"],
            postgresql_concurrently=True,
        )
        op.create_index(
            "ix_reconciliation_entries_by_status",
            "reconciliation_entries",
            ["tenant_id", "reconciliation_id", "status", "created_at", "position"],
            postgresql_concurrently=True,
        )
