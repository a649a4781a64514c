"""Redemptions, and the counts that a trigger keeps of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import CreateSequence

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.BigInteger
_MOMENT = sa.DateTime(timezone=True)
_MONEY = sa.Numeric(14, 4)

# The count of an unlimited voucher must not make its tills wait for each other's commits: up to 16 rows share it.
# A trigger keeps it, so that no writer can forget to.
_COUNT_REDEMPTION = """
create function count_redemption() returns trigger language plpgsql as $$
begin
    insert into redemption_counts as counts (tenant_id, voucher_id, slot, redemptions_count)
    values (new.tenant_id, new.voucher_id, new.id % 16, case when new.rolled_back_at is null then 1 else -1 end)
    on conflict (tenant_id, voucher_id, slot)
    do update set redemptions_count = counts.redemptions_count + excluded.redemptions_count;
    return null;
end
$$
"""
_REDEEMED = """
create trigger redeemed after insert on redemptions
for each row execute function count_redemption()
"""
_ROLLED_BACK = """
create trigger rolled_back after update of rolled_back_at on redemptions
for each row when (old.rolled_back_at is null and new.rolled_back_at is not null) execute function count_redemption()
"""


def upgrade() -> None:
    op.execute(CreateSequence(sa.Sequence("redemption_ids", cache=1)))
    op.create_table(
        "redemptions",
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("voucher_id", _ID, nullable=False),
        sa.Column("customer_id", _ID, nullable=False),
        sa.Column("voucher_code", sa.Text, nullable=False),
        sa.Column("order_amount", _MONEY, nullable=False),
        sa.Column("discount_amount", _MONEY, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("order_reference", sa.Text),
        sa.Column("partner_location_id", _ID),
        sa.Column("notes", sa.Text),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("redeemed_at", _MOMENT, nullable=False),
        sa.Column("rolled_back_at", _MOMENT),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_redemptions"),
        sa.CheckConstraint("discount_amount between 0 and order_amount", name="ck_redemptions_discount_within_order"),
        sa.CheckConstraint("source in ('api', 'dashboard', 'system', 'import')", name="ck_redemptions_source"),
    )
    op.create_index(
        "ux_redemptions_order_reference",
        "redemptions",
        ["tenant_id", "voucher_id", "order_reference"],
        unique=True,
        postgresql_where=sa.text("rolled_back_at is null and order_reference is not null"),
    )
    op.create_index(
        "ix_redemptions_of_customer",
        "redemptions",
        ["tenant_id", "voucher_id", "customer_id"],
        postgresql_where=sa.text("rolled_back_at is null"),
    )
    op.create_table(
        "redemption_counts",
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("voucher_id", _ID, nullable=False),
        sa.Column("slot", sa.SmallInteger, nullable=False),
        sa.Column("redemptions_count", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "voucher_id", "slot", name="pk_redemption_counts"),
        postgresql_with={"fillfactor": 50},
    )
    op.execute(_COUNT_REDEMPTION)
    op.execute(_REDEEMED)
    op.execute(_ROLLED_BACK)
