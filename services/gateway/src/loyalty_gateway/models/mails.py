"""Mails on their way out, and the one-time links in them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from loyalty_gateway.models.base import Base, identifier, moment, now_by_default

MAILS = ("invitation", "password_reset", "endpoint_disabled")


class Mail(Base):
    """Written with the change that it tells of, deleted once it was sent. Its link is made when it is sent.

    To ``user_id``, or to whoever has the address ``email``, which may be nobody. ``gave_up_at``: it stays here, and is
    tried no more.
    """

    __tablename__ = "mails"
    __table_args__ = (
        CheckConstraint("kind in ('invitation', 'password_reset', 'endpoint_disabled')", name="kind"),
        CheckConstraint("(user_id is null) <> (email is null)", name="recipient"),
        Index("ix_mails_due", "available_at", postgresql_where=text("gave_up_at is null")),
    )

    id: Mapped[identifier]
    kind: Mapped[str] = mapped_column(Text)
    user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    email: Mapped[str | None] = mapped_column(Text)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[now_by_default]
    available_at: Mapped[now_by_default]
    gave_up_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class OneTimeLink(Base):
    """Lets its holder set the password of one user, once. ``digest`` = SHA-256 of its token, of 256 random bits."""

    __tablename__ = "one_time_links"
    __table_args__ = (
        CheckConstraint("kind in ('invitation', 'password_reset')", name="kind"),
        Index("ix_one_time_links_open", "user_id", postgresql_where=text("ended_at is null")),
        Index(None, "expires_at"),
    )

    id: Mapped[identifier]
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    kind: Mapped[str] = mapped_column(Text)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[moment]
    expires_at: Mapped[moment]
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
