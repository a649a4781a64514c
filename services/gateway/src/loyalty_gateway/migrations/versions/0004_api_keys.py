"""Keys of integrators."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, CIDR

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("organization_id", sa.BigInteger, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kid", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("pepper_version", sa.SmallInteger, nullable=False),
        sa.Column("last_four", sa.Text, nullable=False),
        sa.Column("scopes", ARRAY(sa.Text), nullable=False),
        sa.Column("allowed_cidrs", ARRAY(CIDR), nullable=False, server_default=sa.text("'{}'")),
        sa.Column("requests_per_minute", sa.Integer),
        sa.Column("burst", sa.Integer),
        sa.Column("created_by_user_id", sa.BigInteger),
        sa.Column("created_at", _MOMENT, nullable=False, server_default=sa.func.now()),
        sa.Column("last_used_at", _MOMENT),
        sa.Column("expires_at", _MOMENT),
        sa.Column("revoked_at", _MOMENT),
        sa.Column("replaced_by_id", sa.BigInteger),
        sa.CheckConstraint("(requests_per_minute is null) = (burst is null)", name="ck_api_keys_limit"),
        sa.ForeignKeyConstraint(
            ["organization_id", "mode"],
            ["tenants.organization_id", "tenants.mode"],
            name="fk_api_keys_organization_id_mode",
        ),
        sa.ForeignKeyConstraint(["created_by_user_id"], ["users.id"], name="fk_api_keys_created_by_user_id"),
        sa.ForeignKeyConstraint(["replaced_by_id"], ["api_keys.id"], name="fk_api_keys_replaced_by_id"),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("kid", name="uq_api_keys_kid"),
    )
    op.create_index("ix_api_keys_organization_id_created_at_id", "api_keys", ["organization_id", "created_at", "id"])
