"""Customer profiles."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Index, Sequence, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from loyalty_customers.models.base import Base, BigInt, Id, Moment, Words

customer_ids = Sequence("customer_ids", metadata=Base.metadata)


class Customer(Base):
    """A person in one tenant. An erased one keeps id and version only: his e-mail is free again."""

    __tablename__ = "customers"

    tenant_id: Mapped[Id]
    id: Mapped[Id]
    version: Mapped[BigInt]
    name: Mapped[Words | None]
    email: Mapped[Words | None]
    email_key: Mapped[Words | None] = mapped_column(comment="the e-mail as it is compared: NFC, case folded")
    phone: Mapped[Words | None] = mapped_column(comment="E.164")
    external_id: Mapped[Words | None]
    # ``metadata`` is taken by SQLAlchemy.
    attributes: Mapped[dict[str, Any]] = mapped_column("metadata", JSONB)
    search_text: Mapped[Words] = mapped_column(comment="name and e-mail as they are searched: NFKC, case folded")
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
    erased_at: Mapped[Moment | None]

    __table_args__ = (
        Index("ux_customers_email_key", "tenant_id", "email_key", unique=True),
        Index("ux_customers_external_id", "tenant_id", "external_id", unique=True),
        Index("ix_customers_newest", "tenant_id", "created_at", "id", postgresql_where=text("erased_at is null")),
        Index("ix_customers_updated", "tenant_id", "updated_at", postgresql_where=text("erased_at is null")),
        Index("ix_customers_phone", "tenant_id", "phone"),
        # And ix_customers_search where PostgreSQL has pg_trgm and btree_gin: migration 0006.
    )
