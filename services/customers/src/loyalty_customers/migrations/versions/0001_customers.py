"""The tables of the first release."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.schema import CreateSequence

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute(CreateSequence(sa.Sequence("customer_ids", cache=1)))
    op.create_table(
        "customers",
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("email", sa.Text),
        sa.Column("email_key", sa.Text, comment="the e-mail as it is compared: NFC, case folded"),
        sa.Column("phone", sa.Text, comment="E.164"),
        sa.Column("external_id", sa.Text),
        sa.Column("metadata", JSONB, nullable=False),
        sa.Column(
            "search_text", sa.Text, nullable=False, comment="name and e-mail as they are searched: NFKC, case folded"
        ),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.Column("erased_at", _MOMENT),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_customers"),
    )
    op.create_index("ux_customers_email_key", "customers", ["tenant_id", "email_key"], unique=True)
    op.create_index("ux_customers_external_id", "customers", ["tenant_id", "external_id"], unique=True)
    op.create_index(
        "ix_customers_newest",
        "customers",
        ["tenant_id", "created_at", "id"],
        postgresql_where=sa.text("erased_at is null"),
    )
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
