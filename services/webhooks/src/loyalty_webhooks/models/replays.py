"""Orders to send again what the log holds."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, Integer, Sequence, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from loyalty_webhooks.models.base import Base, BigInt, Id, Moment, Words

replay_ids = Sequence("webhook_replay_ids", metadata=Base.metadata)
job_ids = Sequence("webhook_job_ids", metadata=Base.metadata)


class WebhookReplay(Base):
    """A replay and its job. ``position`` is the last sequence dealt with: whoever takes the job up goes on there.

    Before it begins ``total`` is counted, in steps too: ``counted`` up to the sequence ``counted_to``.
    """

    __tablename__ = "webhook_replays"

    tenant_id: Mapped[Id]
    id: Mapped[Id]
    version: Mapped[BigInt]
    job_id: Mapped[BigInt]
    endpoint_id: Mapped[BigInt]
    since: Mapped[Moment]
    until: Mapped[Moment]
    events: Mapped[list[str]] = mapped_column(ARRAY(Text), comment="names, or the one element *")
    only: Mapped[Words] = mapped_column(comment="failed or all")
    status: Mapped[Words]
    position: Mapped[BigInt]
    counted_to: Mapped[BigInt]
    counted: Mapped[int] = mapped_column(Integer)
    total: Mapped[int | None] = mapped_column(Integer)
    processed: Mapped[int] = mapped_column(Integer)
    error: Mapped[Words | None]
    due_at: Mapped[Moment | None] = mapped_column(comment="when a worker looks at it next, null once it has ended")
    created_at: Mapped[Moment]
    started_at: Mapped[Moment | None]
    finished_at: Mapped[Moment | None]

    __table_args__ = (
        CheckConstraint("status in ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name="known_status"),
        CheckConstraint("(due_at is null) = (finished_at is not null)", name="due_until_finished"),
        Index(
            "uq_webhook_replays_one_at_a_time",
            "tenant_id",
            "endpoint_id",
            unique=True,
            postgresql_where=text("due_at is not null"),
        ),
        Index("ix_webhook_replays_due", "due_at", postgresql_where=text("due_at is not null")),
    )
