"""Batches of vouchers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import CreateSequence

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ID = sa.BigInteger
_MONEY = sa.Numeric(14, 4)


def upgrade() -> None:
    op.execute(CreateSequence(sa.Sequence("voucher_batch_ids", cache=1)))
    op.create_table(
        "voucher_batches",
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("organization_id", _ID, nullable=False),
        sa.Column("partner_location_id", _ID, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("quantity", sa.BigInteger, nullable=False),
        sa.Column("code_prefix", sa.Text),
        sa.Column("code_length", sa.BigInteger, nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("discount_type", sa.Text, nullable=False),
        sa.Column("discount_value", _MONEY, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("minimum_order_amount", _MONEY),
        sa.Column("max_discount_amount", _MONEY),
        sa.Column("max_redemptions", sa.BigInteger),
        sa.Column("max_redemptions_per_customer", sa.BigInteger),
        sa.Column("valid_from", sa.Date),
        sa.Column("valid_until", sa.Date),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_voucher_batches"),
        sa.CheckConstraint("quantity > 0", name="quantity_is_positive"),
        sa.CheckConstraint("code_length > 0", name="code_length_is_positive"),
        sa.CheckConstraint("discount_type in ('percent', 'fixed')", name="discount_type"),
        sa.CheckConstraint("discount_value > 0", name="discount_is_positive"),
        sa.CheckConstraint("discount_type = 'fixed' or discount_value <= 100", name="percent_at_most_100"),
        sa.CheckConstraint("minimum_order_amount > 0 and max_discount_amount > 0", name="amounts_are_positive"),
        sa.CheckConstraint("max_redemptions > 0 and max_redemptions_per_customer > 0", name="limits_are_positive"),
        sa.CheckConstraint("valid_until >= valid_from", name="window"),
    )
    op.create_index("ix_voucher_batches_newest", "voucher_batches", ["tenant_id", "created_at", "id"])
