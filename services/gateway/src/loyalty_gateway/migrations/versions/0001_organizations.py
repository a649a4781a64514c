"""Organizations, their tenants, and the plans that say how much they may."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    plans = op.create_table(
        "plans",
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("developer_access", sa.Boolean, nullable=False),
        sa.Column("requests_per_minute", sa.Integer, nullable=False),
        sa.Column("burst", sa.Integer, nullable=False),
        sa.CheckConstraint("requests_per_minute between 1 and 60000000", name="ck_plans_rate"),
        sa.CheckConstraint("burst >= 1", name="ck_plans_burst"),
        sa.PrimaryKeyConstraint("code", name="pk_plans"),
    )
    columns = ("code", "name", "developer_access", "requests_per_minute", "burst")
    rows = (
        # Has no API to be limited on; its numbers are there for the day it is upgraded.
        ("starter", "Starter", False, 60, 10),
        ("developer", "Developer", True, 600, 100),
        ("business", "Business", True, 3_000, 500),
        ("demo", "Demo", True, 60_000, 5_000),
    )
    op.bulk_insert(plans, [dict(zip(columns, row, strict=True)) for row in rows])
    op.create_table(
        "organizations",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("plan_code", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("country", sa.Text, nullable=False),
        sa.Column("time_zone", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False, server_default=sa.text("'active'")),
        sa.Column("created_at", _MOMENT, nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", _MOMENT, nullable=False, server_default=sa.func.now()),
        sa.CheckConstraint("status in ('active', 'suspended')", name="ck_organizations_status"),
        sa.ForeignKeyConstraint(["plan_code"], ["plans.code"], name="fk_organizations_plan_code"),
        sa.PrimaryKeyConstraint("id", name="pk_organizations"),
    )
    op.create_table(
        "tenants",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("organization_id", sa.BigInteger, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False, server_default=sa.func.now()),
        sa.CheckConstraint("mode in ('live', 'test')", name="ck_tenants_mode"),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_tenants_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_tenants"),
        sa.UniqueConstraint("organization_id", "mode", name="uq_tenants_organization_id_mode"),
    )
