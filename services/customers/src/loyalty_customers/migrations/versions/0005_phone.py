"""Customers are looked up by phone number."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Concurrently: tills go on writing while a large table is indexed. What a failed attempt left is of no use.
    with op.get_context().autocommit_block():
        op.execute("drop index concurrently if exists ix_customers_phone")
        op.create_index("ix_customers_phone", "customers", ["tenant_id", "phone"], postgresql_concurrently=True)
