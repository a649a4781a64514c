"""What every service of the suite has: replies by key, outbox, inbox, directories."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_EMAIL = "normalised; an index, not unique: it may pass from one customer to another"


def upgrade() -> None:
    op.create_table(
        "idempotency",
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False, comment="the reply's data as JSON, secrets as null"),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key", name="pk_idempotency"),
    )
    op.create_index("ix_idempotency_created_at", "idempotency", ["created_at"], postgresql_using="brin")
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("available_at", _MOMENT, nullable=False, server_default=sa.func.now()),
        sa.Column("confirmed_by", ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
    )
    op.create_index("ix_outbox_available_at", "outbox", ["available_at"])
    op.create_table(
        "inbox",
        sa.Column("message_id", sa.Uuid, nullable=False),
        sa.Column("received_at", _MOMENT, nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("message_id", name="pk_inbox"),
    )
    op.create_index("ix_inbox_received_at", "inbox", ["received_at"], postgresql_using="brin")
    _directories()


def _directories() -> None:
    op.create_table(
        "customer_directory",
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("email", sa.Text, comment=_EMAIL),
        sa.Column("profile", JSONB, comment="the customer object as its owner returns it; null once erased"),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("erased_at", _MOMENT),
        sa.PrimaryKeyConstraint("tenant_id", "customer_id", name="pk_customer_directory"),
    )
    op.create_index("ix_customer_directory_email", "customer_directory", ["tenant_id", "email"])
    op.create_table(
        "location_directory",
        sa.Column("organization_id", sa.BigInteger, nullable=False),
        sa.Column("partner_location_id", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("time_zone", sa.Text, nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "partner_location_id", name="pk_location_directory"),
    )
