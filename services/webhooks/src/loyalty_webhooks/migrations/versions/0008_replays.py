"""Events can be sent again, by a job."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.schema import CreateSequence

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute(CreateSequence(sa.Sequence("webhook_replay_ids")))
    op.execute(CreateSequence(sa.Sequence("webhook_job_ids")))
    op.create_table(
        "webhook_replays",
        sa.Column("tenant_id", sa.BigInteger, nullable=False),
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("job_id", sa.BigInteger, nullable=False),
        sa.Column("endpoint_id", sa.BigInteger, nullable=False),
        sa.Column("since", _MOMENT, nullable=False),
        sa.Column("until", _MOMENT, nullable=False),
        sa.Column("events", ARRAY(sa.Text), nullable=False, comment="names, or the one element *"),
        sa.Column("only", sa.Text, nullable=False, comment="failed or all"),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("counted_to", sa.BigInteger, nullable=False),
        sa.Column("counted", sa.Integer, nullable=False),
        sa.Column("total", sa.Integer),
        sa.Column("processed", sa.Integer, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("due_at", _MOMENT, comment="when a worker looks at it next, null once it has ended"),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("started_at", _MOMENT),
        sa.Column("finished_at", _MOMENT),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_webhook_replays"),
        sa.CheckConstraint(
            "status in ('queued', 'running', 'succeeded', 'failed', 'cancelled')",
            name="ck_webhook_replays_known_status",
        ),
        sa.CheckConstraint(
            "(due_at is null) = (finished_at is not null)", name="ck_webhook_replays_due_until_finished"
        ),
    )
    still_due = sa.text("due_at is not null")
    op.create_index(
        "uq_webhook_replays_one_at_a_time",
        "webhook_replays",
        ["tenant_id", "endpoint_id"],
        unique=True,
        postgresql_where=still_due,
    )
    op.create_index("ix_webhook_replays_due", "webhook_replays", ["due_at"], postgresql_where=still_due)
