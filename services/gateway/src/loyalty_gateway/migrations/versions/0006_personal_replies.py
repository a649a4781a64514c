"""A stored reply names the customer of whom it says more than the id: here, none does."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_OF_WHOM = "of whom the body says more than the id, null where of nobody"


def upgrade() -> None:
    op.add_column("idempotency", sa.Column("customer_id", sa.BigInteger, comment=_OF_WHOM))
    op.create_index(
        "ix_idempotency_customer",
        "idempotency",
        ["tenant_id", "customer_id"],
        postgresql_where=sa.text("customer_id is not null"),
    )
