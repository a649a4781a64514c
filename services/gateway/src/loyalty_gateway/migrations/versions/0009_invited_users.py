"""Users come by invitation, without a password at first, and leave their name behind when they are deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("users", "password_hash", existing_type=sa.Text, nullable=True)
    op.add_column("users", sa.Column("deleted_at", sa.DateTime(timezone=True)))
    # The metadata's naming convention put its prefix before the name that migration 0003 gave in full.
    op.drop_constraint(op.f("ck_users_ck_users_status"), "users")
    op.create_check_constraint("status", "users", "status in ('active', 'invited', 'disabled')")
    op.create_index("ix_users_organization_id_created_at_id", "users", ["organization_id", "created_at", "id"])
    op.drop_index("ix_users_organization_id", "users")
    op.drop_index("uq_users_email_lower", "users")
    op.create_index(
        "uq_users_email_lower",
        "users",
        [sa.text("lower(email)")],
        unique=True,
        postgresql_where=sa.text("deleted_at is null"),
    )
