"""Find what reversed a row, which lots are due, and the rare types of rows: a plain purchase is in none of these."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_points_transactions_reversals": (
        ["tenant_id", "reverses_transaction_id"],
        "reverses_transaction_id is not null",
    ),
    "ix_points_transactions_due": (
        ["tenant_id", "loyalty_card_id", "expires_on"],
        "points_remaining > 0 and expires_on is not null",
    ),
    "ix_points_transactions_of_type": (
        ["tenant_id", "loyalty_card_id", "type", "recorded_at", "id"],
        "type <> 'earn'",
    ),
}


def upgrade() -> None:
    # Beside the traffic; one that was interrupted stays behind invalid, so each begins afresh.
    with op.get_context().autocommit_block():
        for name, (columns, condition) in _INDEXES.items():
            op.drop_index(name, "points_transactions", postgresql_concurrently=True, if_exists=True)
            op.create_index(
                name, "points_transactions", columns, postgresql_where=sa.text(condition), postgresql_concurrently=True
            )
