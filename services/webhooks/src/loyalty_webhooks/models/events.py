"""The log of what happened, in the bytes that are signed."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from loyalty_webhooks.models.base import Base, BigInt, Id, Moment, Words


class EventSequence(Base):
    """The last number that a tenant's log gave out. Its row is the lock of the log."""

    __tablename__ = "event_sequences"

    tenant_id: Mapped[Id]
    last_sequence: Mapped[BigInt]


class WebhookEvent(Base):
    """Partitioned by day and dropped with its day, as are the deliveries and attempts that it caused.

    Hence the event's own ``created_at`` in every key, and no foreign keys between the three.
    """

    __tablename__ = "webhook_events"

    tenant_id: Mapped[Id]
    id: Mapped[UUID] = mapped_column(primary_key=True)
    created_at: Mapped[Moment] = mapped_column(primary_key=True)
    sequence: Mapped[BigInt]
    event: Mapped[Words]
    payload: Mapped[Words] = mapped_column(comment="what is signed and sent, to the byte")

    __table_args__ = (
        UniqueConstraint("tenant_id", "sequence", "created_at", name="uq_webhook_events_sequence"),
        {"postgresql_partition_by": "RANGE (created_at)"},
    )
