"""Redemptions: points spent at a till."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import CreateSequence

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute(CreateSequence(sa.Sequence("redemption_ids", cache=1)))
    op.create_table(
        "redemptions",
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("loyalty_card_id", sa.BigInteger, nullable=False),
        sa.Column("enrollment_id", sa.BigInteger, nullable=False),
        sa.Column("transaction_id", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("reversed_at", _MOMENT),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_redemptions"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "transaction_id"],
            ["points_transactions.tenant_id", "points_transactions.id"],
            name="fk_redemptions_points_transactions",
        ),
        sa.CheckConstraint("status in ('redeemed', 'reversed')", name="status"),
        sa.CheckConstraint("(status = 'reversed') = (reversed_at is not null)", name="reversed_at"),
    )
    newest = ["created_at", "id"]
    op.create_index("ix_redemptions_newest", "redemptions", ["tenant_id", "loyalty_card_id", *newest])
    op.create_index("ix_redemptions_of_enrollment", "redemptions", ["tenant_id", "enrollment_id", *newest])
    op.create_index(
        "ix_redemptions_reversed",
        "redemptions",
        ["tenant_id", "loyalty_card_id", *newest],
        postgresql_where=sa.text("status = 'reversed'"),
    )
