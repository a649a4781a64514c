"""Signed-in users, as far as their tokens are kept: never the token itself."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, LargeBinary, SmallInteger, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from loyalty_gateway.models.base import Base, identifier, moment


class Session(Base):
    """``digest`` = HMAC-SHA256 over the whole token with the pepper of ``pepper_version``, as for keys.

    ``signed_in_at`` is when the first of a row of renewed sessions began.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        CheckConstraint("mode in ('live', 'test')", name="mode"),
        Index("ix_sessions_open", "user_id", postgresql_where=text("ended_at is null")),
        Index(None, "expires_at"),
    )

    id: Mapped[identifier]
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    mode: Mapped[str] = mapped_column(Text)
    kid: Mapped[str] = mapped_column(Text, unique=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    pepper_version: Mapped[int] = mapped_column(SmallInteger)
    signed_in_at: Mapped[moment]
    created_at: Mapped[moment]
    expires_at: Mapped[moment]
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
