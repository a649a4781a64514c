"""A row of the stamps ledger is reversed once, and no stamps balance goes below zero."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Valid for new rows at once, for old ones after a look that holds up nobody.
    op.execute(
        "alter table stamp_memberships add constraint ck_stamp_memberships_balance_not_negative"
        " check (stamps_balance >= 0) not valid"
    )
    op.execute("alter table stamp_memberships validate constraint ck_stamp_memberships_balance_not_negative")
    with op.get_context().autocommit_block():
        op.create_index(
            "ux_stamp_transactions_reversal",
            "stamp_transactions",
            ["tenant_id", "reverses_stamp_id"],
            unique=True,
            postgresql_where=sa.text("reverses_stamp_id is not null"),
            postgresql_concurrently=True,
        )
