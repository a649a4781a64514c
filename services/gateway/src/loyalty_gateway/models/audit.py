"""What was done to accounts, by whom and from where."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from loyalty_gateway.models.base import Base, identifier, moment


class AuditEntry(Base):
    """Written once, in the transaction of what it tells; names as they were then. ``changes``: field → [old, new]."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        CheckConstraint("actor_type in ('api_key', 'user', 'system')", name="actor_type"),
        Index(None, "organization_id", "created_at", "id"),
        Index(None, "organization_id", "action", "created_at", "id"),
        Index(None, "organization_id", "actor_type", "created_at", "id"),
    )

    id: Mapped[identifier]
    organization_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("organizations.id"))
    action: Mapped[str] = mapped_column(Text)
    actor_type: Mapped[str] = mapped_column(Text)
    actor_id: Mapped[int | None] = mapped_column(BigInteger)
    actor_name: Mapped[str] = mapped_column(Text)
    subject_type: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[int] = mapped_column(BigInteger)
    subject_name: Mapped[str] = mapped_column(Text)
    changes: Mapped[dict[str, Any]] = mapped_column(JSONB)
    ip_address: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[moment]
