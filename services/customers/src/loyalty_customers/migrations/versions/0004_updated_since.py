"""Lists of customers take updated_since."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Concurrently: tills go on writing while a large table is indexed. What a failed attempt left is of no use.
    with op.get_context().autocommit_block():
        op.execute("drop index concurrently if exists ix_customers_updated")
        op.create_index(
            "ix_customers_updated",
            "customers",
            ["tenant_id", "updated_at"],
            postgresql_where=sa.text("erased_at is null"),
            postgresql_concurrently=True,
        )
