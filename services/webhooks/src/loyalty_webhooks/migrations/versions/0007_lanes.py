"""What senders learn of an endpoint is shared by them, and first attempts are found before all others.

The senders of the release before this one work on: they count leases as these do, and sort what they find by the new
index. Replace them soon all the same, since each of them keeps limits of its own.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "lanes",
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("endpoint_id", sa.BigInteger, nullable=False),
        sa.Column("in_flight_limit", sa.SmallInteger, nullable=False, server_default="4"),
        sa.Column("is_proven", sa.Boolean, nullable=False, server_default=sa.false(), comment="has ever answered 2xx"),
        sa.Column(
            "slowness",
            sa.SmallInteger,
            nullable=False,
            server_default="0",
            comment="up with slow answers and timeouts, down with fast ones",
        ),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0", comment="since the last success"),
        sa.Column("failing_since", _MOMENT, comment="the first of them"),
        sa.Column(
            "times_opened",
            sa.SmallInteger,
            nullable=False,
            server_default="0",
            comment="the breaker, since the last success; 0 is closed",
        ),
        sa.Column("blocked_until", _MOMENT, comment="by the breaker, or as the receiver asked for"),
        sa.Column("next_send_at", _MOMENT, comment="what the rate limit has been spent up to"),
        sa.PrimaryKeyConstraint("tenant_id", "endpoint_id", name="pk_lanes"),
        postgresql_with={"fillfactor": "50"},
    )
    op.add_column(
        "delivery_queue",
        sa.Column(
            "gives_way",
            sa.Boolean,
            nullable=False,
            server_default=sa.false(),
            comment="no first attempt of something that just happened: such go before it",
        ),
    )
    op.execute("update delivery_queue set gives_way = true where attempt_count > 0")
    op.create_index(
        "ix_delivery_queue_due",
        "delivery_queue",
        ["tenant_id", "endpoint_id", "gives_way", "next_attempt_at"],
        postgresql_where=sa.text("claim_id is null"),
    )
    op.drop_index("ix_delivery_queue_waiting", "delivery_queue")
