"""People who sign in to the dashboard."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from loyalty_gateway.models.base import Base, identifier, now_by_default

ROLES = ("owner", "manager", "staff")


class User(Base):
    """One user, one organization. The e-mail is unique over all of them, ignoring case.

    Without a password a user is invited or was deleted. One who was deleted stays as a name in what was done by him.
    """

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("role in ('owner', 'manager', 'staff')", name="role"),
        CheckConstraint("status in ('active', 'invited', 'disabled')", name="status"),
        Index(None, "organization_id", "created_at", "id"),
    )

    id: Mapped[identifier]
    organization_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("organizations.id"))
    name: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default=text("'active'"))
    last_signed_in_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[now_by_default]
    updated_at: Mapped[now_by_default]
    deleted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


Index("uq_users_email_lower", func.lower(User.email), unique=True, postgresql_where=User.deleted_at.is_(None))
