"""Keys of integrators, as far as they are kept: never the key itself."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import CIDR
from sqlalchemy.orm import Mapped, mapped_column

from loyalty_gateway.models.base import Base, identifier, now_by_default


class ApiKey(Base):
    """``digest`` = HMAC-SHA256 over the whole key with the pepper of ``pepper_version``.

    ``requests_per_minute`` and ``burst`` lower the plan's limits for this key; null: the plan's.
    An empty ``allowed_cidrs`` allows every address. ``created_by``: an actor, by the name it had then.
    ``created_by_user_id`` is written by nothing; the release before this one names it.
    """

    __tablename__ = "api_keys"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id", "mode"], ["tenants.organization_id", "tenants.mode"]),
        CheckConstraint("(requests_per_minute is null) = (burst is null)", name="limit"),
        Index(None, "organization_id", "created_at", "id"),
    )

    id: Mapped[identifier]
    organization_id: Mapped[int] = mapped_column(BigInteger)
    mode: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    kid: Mapped[str] = mapped_column(Text, unique=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    pepper_version: Mapped[int] = mapped_column(SmallInteger)
    last_four: Mapped[str] = mapped_column(Text)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    allowed_cidrs: Mapped[list[str]] = mapped_column(ARRAY(CIDR), server_default=text("'{}'"))
    requests_per_minute: Mapped[int | None]
    burst: Mapped[int | None]
    created_by_user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    created_by_type: Mapped[str] = mapped_column(Text, server_default=text("'system'"))
    created_by_id: Mapped[int | None] = mapped_column(BigInteger)
    created_by_name: Mapped[str] = mapped_column(Text, server_default=text("'Operator'"))
    created_at: Mapped[now_by_default]
    last_used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    replaced_by_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("api_keys.id"))
