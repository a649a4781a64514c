"""The log knows of whom each event tells, and who was erased.

Events of the last 30 days are looked into here, once. The intake of the release before this one goes on writing events
that name nobody: let all of it be replaced before the customers service is, which lets people be erased.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("webhook_events", sa.Column("customer_id", sa.BigInteger, comment="of whom the event tells"))
    op.add_column(
        "webhook_events",
        sa.Column("referred_customer_id", sa.BigInteger, comment="and of whom besides, if of two"),
    )
    op.execute("""
        update webhook_events
           set customer_id = cast(cast(payload as json) #>> '{data,customer,id}' as bigint),
               referred_customer_id = cast(cast(payload as json) #>> '{data,referred,id}' as bigint)
    """)
    op.create_index("ix_webhook_events_customer", "webhook_events", ["tenant_id", "customer_id", "sequence"])
    op.create_index(
        "ix_webhook_events_referred",
        "webhook_events",
        ["tenant_id", "referred_customer_id", "sequence"],
        postgresql_where=sa.text("referred_customer_id is not null"),
    )
    op.create_table(
        "erased_customers",
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("erased_at", _MOMENT, nullable=False),
        sa.Column(
            "redacted_up_to",
            sa.BigInteger,
            nullable=False,
            server_default="0",
            comment="the last sequence that was rewritten",
        ),
        sa.Column("redacted_at", _MOMENT, comment="when the last one was"),
        sa.PrimaryKeyConstraint("tenant_id", "customer_id", name="pk_erased_customers"),
    )
    op.create_index(
        "ix_erased_customers_to_redact",
        "erased_customers",
        ["tenant_id", "customer_id"],
        postgresql_where=sa.text("redacted_at is null"),
    )
