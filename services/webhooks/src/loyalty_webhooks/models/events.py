"""The log of what happened, in the bytes that are signed."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from loyalty_webhooks.models.base import Base, BigInt, Id, Moment, Words


class EventSequence(Base):
    """The last number that a tenant's log gave out. Its row is the lock of the log."""

    __tablename__ = "event_sequences"

    tenant_id: Mapped[Id]
    last_sequence: Mapped[BigInt]
    dropped_up_to: Mapped[BigInt] = mapped_column(
        server_default="0", comment="the last sequence that is not kept any more; all behind it are"
    )


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
    customer_id: Mapped[BigInt | None] = mapped_column(comment="of whom the event tells")
    referred_customer_id: Mapped[BigInt | None] = mapped_column(comment="and of whom besides, if of two")
    traceparent: Mapped[Words | None] = mapped_column(comment="of the work that took it in, which causes attempts")

    __table_args__ = (
        UniqueConstraint("tenant_id", "sequence", "created_at", name="uq_webhook_events_sequence"),
        Index("ix_webhook_events_event", "tenant_id", "event", "sequence"),
        Index("ix_webhook_events_customer", "tenant_id", "customer_id", "sequence"),
        Index(
            "ix_webhook_events_referred",
            "tenant_id",
            "referred_customer_id",
            "sequence",
            postgresql_where=text("referred_customer_id is not null"),
        ),
        {"postgresql_partition_by": "RANGE (created_at)"},
    )


class ErasedCustomer(Base):
    """A tombstone: events that tell of him are stored redacted, those before it are rewritten in the log's order."""

    __tablename__ = "erased_customers"

    tenant_id: Mapped[Id]
    customer_id: Mapped[Id]
    erased_at: Mapped[Moment]
    redacted_up_to: Mapped[BigInt] = mapped_column(server_default="0", comment="the last sequence that was rewritten")
    redacted_at: Mapped[Moment | None] = mapped_column(comment="when the last one was")

    __table_args__ = (
        Index(
            "ix_erased_customers_to_redact",
            "tenant_id",
            "customer_id",
            postgresql_where=text("redacted_at is null"),
        ),
    )
