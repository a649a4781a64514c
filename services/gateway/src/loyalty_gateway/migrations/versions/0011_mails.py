"""Mails on their way out, and the one-time links in them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "mails",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("user_id", sa.BigInteger),
        sa.Column("email", sa.Text),
        sa.Column("facts", JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("created_at", _MOMENT, nullable=False, server_default=sa.func.now()),
        sa.Column("available_at", _MOMENT, nullable=False, server_default=sa.func.now()),
        sa.Column("gave_up_at", _MOMENT),
        sa.CheckConstraint("kind in ('invitation', 'password_reset', 'endpoint_disabled')", name="kind"),
        sa.CheckConstraint("(user_id is null) <> (email is null)", name="recipient"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_mails_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_mails"),
    )
    op.create_index("ix_mails_due", "mails", ["available_at"], postgresql_where=sa.text("gave_up_at is null"))
    op.create_table(
        "one_time_links",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("user_id", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT),
        sa.CheckConstraint("kind in ('invitation', 'password_reset')", name="kind"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_one_time_links_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_one_time_links"),
        sa.UniqueConstraint("digest", name="uq_one_time_links_digest"),
    )
    op.create_index(
        "ix_one_time_links_open", "one_time_links", ["user_id"], postgresql_where=sa.text("ended_at is null")
    )
    op.create_index("ix_one_time_links_expires_at", "one_time_links", ["expires_at"])
