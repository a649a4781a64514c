"""People who sign in to the dashboard."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from loyalty_gateway.models.base import Base, identifier, now_by_default

ROLES = ("owner", "manager", "staff")


class User(Base):
    """One user, one organization. The e-mail is unique over all of them, ignoring case."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("role in ('owner', 'manager', 'staff')", name="role"),
        CheckConstraint("status in ('active', 'disabled')", name="status"),
        Index(None, "organization_id"),
    )

    id: Mapped[identifier]
    organization_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("organizations.id"))
    name: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default=text("'active'"))
    last_signed_in_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[now_by_default]
    updated_at: Mapped[now_by_default]


Index("uq_users_email_lower", func.lower(User.email), unique=True)
