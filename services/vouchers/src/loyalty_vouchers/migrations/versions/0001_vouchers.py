"""Vouchers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import CreateSequence

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.BigInteger
_MOMENT = sa.DateTime(timezone=True)
_MONEY = sa.Numeric(14, 4)


def upgrade() -> None:
    op.execute(CreateSequence(sa.Sequence("voucher_ids", cache=1)))
    op.create_table(
        "vouchers",
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("organization_id", _ID, nullable=False),
        sa.Column("partner_location_id", _ID, nullable=False),
        sa.Column("voucher_batch_id", _ID),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("voucher_code", sa.Text, nullable=False),
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
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_vouchers"),
        sa.CheckConstraint("voucher_code ~ '^[A-Za-z0-9_-]{1,64}$'", name="ck_vouchers_voucher_code"),
        sa.CheckConstraint("discount_type in ('percent', 'fixed')", name="ck_vouchers_discount_type"),
        sa.CheckConstraint("discount_value > 0", name="ck_vouchers_discount_is_positive"),
        sa.CheckConstraint("discount_type = 'fixed' or discount_value <= 100", name="ck_vouchers_percent_at_most_100"),
        sa.CheckConstraint(
            "minimum_order_amount > 0 and max_discount_amount > 0", name="ck_vouchers_amounts_are_positive"
        ),
        sa.CheckConstraint(
            "max_redemptions > 0 and max_redemptions_per_customer > 0", name="ck_vouchers_limits_are_positive"
        ),
        sa.CheckConstraint("valid_until >= valid_from", name="ck_vouchers_window"),
    )
    op.create_index("ux_vouchers_voucher_code", "vouchers", ["tenant_id", sa.text("lower(voucher_code)")], unique=True)
    op.create_index("ix_vouchers_newest", "vouchers", ["tenant_id", "created_at", "id"])
