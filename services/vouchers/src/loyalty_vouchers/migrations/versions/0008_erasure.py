"""What is kept on a customer is found by the customer, and his tombstone says when it went."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_OF_WHOM = "of whom the body says more than the id, null where of nobody"
_NOTED = ("redemptions",)


def upgrade() -> None:
    op.add_column("idempotency", sa.Column("customer_id", sa.BigInteger, comment=_OF_WHOM))
    op.create_index(
        "ix_idempotency_customer",
        "idempotency",
        ["tenant_id", "customer_id"],
        postgresql_where=sa.text("customer_id is not null"),
    )
    _directory()
    for table in _NOTED:
        op.create_index(
            f"ix_{table}_noted", table, ["tenant_id", "customer_id"], postgresql_where=sa.text("notes is not null")
        )


def _directory() -> None:
    op.add_column(
        "customer_directory",
        sa.Column(
            "forgotten_at",
            sa.DateTime(timezone=True),
            comment="when all went that was kept here of an erased one",
        ),
    )
    op.alter_column(
        "customer_directory",
        "profile",
        existing_type=JSONB,
        comment="the customer object as its owner returns it; all null once erased",
        existing_comment="the customer object as its owner returns it; null once erased",
    )
    op.create_index(
        "ix_customer_directory_to_forget",
        "customer_directory",
        ["tenant_id", "customer_id"],
        postgresql_where=sa.text("erased_at is not null and forgotten_at is null"),
    )
