"""Who is owed which event, what is left to do, and every attempt that was made."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Index,
    Integer,
    Sequence,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from loyalty_webhooks.models.base import Base, BigInt, Id, Moment, Words

delivery_ids = Sequence("webhook_delivery_ids", metadata=Base.metadata)


class WebhookDelivery(Base):
    """One event owed to one endpoint. While it is ``pending`` it also has a row in the queue."""

    __tablename__ = "webhook_deliveries"

    tenant_id: Mapped[Id]
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, server_default=delivery_ids.next_value())
    event_created_at: Mapped[Moment] = mapped_column(primary_key=True)
    event_id: Mapped[UUID]
    event: Mapped[Words]
    sequence: Mapped[BigInt]
    endpoint_id: Mapped[BigInt]
    trigger: Mapped[Words] = mapped_column(comment="event, redelivery or replay")
    status: Mapped[Words]
    attempt_count: Mapped[int] = mapped_column(Integer)
    last_status_code: Mapped[int | None] = mapped_column(SmallInteger)
    next_attempt_at: Mapped[Moment | None]
    created_at: Mapped[Moment]
    completed_at: Mapped[Moment | None]

    __table_args__ = (
        UniqueConstraint(
            "tenant_id", "event_id", "endpoint_id", "event_created_at", name="uq_webhook_deliveries_event_endpoint"
        ),
        CheckConstraint("status in ('pending', 'succeeded', 'exhausted', 'cancelled')", name="known_status"),
        # The lists of the API, whole and by one filter each. Most deliveries have succeeded: those need no index.
        Index("ix_webhook_deliveries_newest", "tenant_id", "created_at", "id"),
        Index("ix_webhook_deliveries_endpoint", "tenant_id", "endpoint_id", "created_at", "id"),
        Index("ix_webhook_deliveries_event", "tenant_id", "event", "created_at", "id"),
        Index(
            "ix_webhook_deliveries_unsuccessful",
            "tenant_id",
            "status",
            "created_at",
            "id",
            postgresql_where=text("status <> 'succeeded'"),
        ),
        {"postgresql_partition_by": "RANGE (event_created_at)"},
    )


class QueuedDelivery(Base):
    """A delivery that is waiting (``claim_id`` null) or leased to a sender.

    A table of its own and not partitioned: it is as small as the work that is left, so that finding what is due
    costs the same after a month of deliveries, and vacuum keeps up.
    """

    __tablename__ = "delivery_queue"

    tenant_id: Mapped[Id]
    delivery_id: Mapped[Id]
    endpoint_id: Mapped[BigInt]
    event_id: Mapped[UUID]
    event_created_at: Mapped[Moment]
    attempt_count: Mapped[int] = mapped_column(Integer)
    next_attempt_at: Mapped[Moment]
    gives_way: Mapped[bool] = mapped_column(
        Boolean,
        server_default="false",
        comment="no first attempt of something that just happened: such go before it",
    )
    claim_id: Mapped[UUID | None]
    lease_until: Mapped[Moment | None]

    __table_args__ = (
        CheckConstraint("(claim_id is null) = (lease_until is null)", name="claimed_is_leased"),
        Index(
            "ix_delivery_queue_due",
            "tenant_id",
            "endpoint_id",
            "gives_way",
            "next_attempt_at",
            postgresql_where=text("claim_id is null"),
        ),
        Index(
            "ix_delivery_queue_leased",
            "tenant_id",
            "endpoint_id",
            "lease_until",
            postgresql_where=text("claim_id is not null"),
        ),
        # Every row dies young: the usual fifth of the table is too much to wait for.
        {"postgresql_with": {"autovacuum_vacuum_scale_factor": "0.02", "autovacuum_vacuum_threshold": "1000"}},
    )


class WebhookAttempt(Base):
    """One HTTP request that was made, and what came back."""

    __tablename__ = "webhook_attempts"

    tenant_id: Mapped[Id]
    delivery_id: Mapped[Id]
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    event_created_at: Mapped[Moment] = mapped_column(primary_key=True)
    endpoint_id: Mapped[BigInt]
    started_at: Mapped[Moment]
    duration_ms: Mapped[int] = mapped_column(Integer)
    status_code: Mapped[int | None] = mapped_column(SmallInteger)
    error_stage: Mapped[Words | None]
    error_message: Mapped[Words | None]
    response_headers: Mapped[dict[str, Any]] = mapped_column(JSONB)
    response_body: Mapped[Words | None] = mapped_column(comment="the first 16 KB")
    response_truncated: Mapped[bool]

    __table_args__ = (
        # What statistics read of an endpoint's attempts stands in the index itself.
        Index(
            "ix_webhook_attempts_endpoint",
            "tenant_id",
            "endpoint_id",
            "started_at",
            postgresql_include=["duration_ms", "status_code", "error_stage"],
        ),
        {"postgresql_partition_by": "RANGE (event_created_at)"},
    )
