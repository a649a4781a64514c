"""What was done to accounts, by whom and from where."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("organization_id", sa.BigInteger, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("actor_type", sa.Text, nullable=False),
        sa.Column("actor_id", sa.BigInteger),
        sa.Column("actor_name", sa.Text, nullable=False),
        sa.Column("subject_type", sa.Text, nullable=False),
        sa.Column("subject_id", sa.BigInteger, nullable=False),
        sa.Column("subject_name", sa.Text, nullable=False),
        sa.Column("changes", JSONB, nullable=False),
        sa.Column("ip_address", sa.Text),
        sa.Column("request_id", sa.Text),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("actor_type in ('api_key', 'user', 'system')", name="ck_audit_entries_actor_type"),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_audit_entries_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entries"),
    )
    for columns in (
        ["organization_id", "created_at", "id"],
        ["organization_id", "action", "created_at", "id"],
        ["organization_id", "actor_type", "created_at", "id"],
    ):
        op.create_index(f"ix_audit_entries_{'_'.join(columns)}", "audit_entries", columns)
