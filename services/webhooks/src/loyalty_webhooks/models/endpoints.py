"""Where an organization wants its events."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, Sequence, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from loyalty_webhooks.models.base import Base, BigInt, Id, Moment, Words

# Drawn before the insert: the id is sealed in with the secret.
endpoint_ids = Sequence("webhook_endpoint_ids", metadata=Base.metadata)


class WebhookEndpoint(Base):
    """A deleted endpoint stays as a row for the log of its deliveries, without its secrets."""

    __tablename__ = "webhook_endpoints"

    tenant_id: Mapped[Id]
    id: Mapped[Id]
    version: Mapped[BigInt]
    url: Mapped[Words]
    description: Mapped[Words | None]
    events: Mapped[list[str]] = mapped_column(ARRAY(Text), comment="names, or the one element *")
    is_active: Mapped[bool]
    disabled_reason: Mapped[Words | None] = mapped_column(comment="why we stopped by ourselves: gone")
    disabled_at: Mapped[Moment | None]
    max_in_flight: Mapped[int] = mapped_column(SmallInteger)
    rate_limit_per_second: Mapped[int | None] = mapped_column(SmallInteger)
    sealed_secret: Mapped[Words | None] = mapped_column(comment="as domain/secret_box.py writes it")
    signing_secret_hint: Mapped[Words]
    previous_sealed_secret: Mapped[Words | None]
    previous_secret_expires_at: Mapped[Moment | None]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
    deleted_at: Mapped[Moment | None]

    __table_args__ = (
        CheckConstraint("(disabled_at is null) = (disabled_reason is null)", name="disabled_has_reason"),
        CheckConstraint("disabled_at is null or not is_active", name="disabled_is_inactive"),
        CheckConstraint("(sealed_secret is null) = (deleted_at is not null)", name="deleted_has_no_secret"),
        Index(
            "ix_webhook_endpoints_newest",
            "tenant_id",
            "created_at",
            "id",
            postgresql_where=text("deleted_at is null"),
        ),
    )
