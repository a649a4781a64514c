"""Merchants, what they pay for, the tenants that hold their data, and where they sell."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from loyalty_gateway.models.base import Base, identifier, now_by_default


class Plan(Base):
    """Limits are per organization. ``developer_access`` opens the API."""

    __tablename__ = "plans"
    __table_args__ = (
        CheckConstraint("requests_per_minute between 1 and 60000000", name="rate"),
        CheckConstraint("burst >= 1", name="burst"),
    )

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    developer_access: Mapped[bool]
    requests_per_minute: Mapped[int]
    burst: Mapped[int]


class Organization(Base):
    """``country`` is the default region of phone numbers, ``time_zone`` the one of dates without a location."""

    __tablename__ = "organizations"
    __table_args__ = (CheckConstraint("status in ('active', 'suspended')", name="status"),)

    id: Mapped[identifier]
    name: Mapped[str] = mapped_column(Text)
    plan_code: Mapped[str] = mapped_column(Text, ForeignKey("plans.code"))
    currency: Mapped[str] = mapped_column(Text)
    country: Mapped[str] = mapped_column(Text)
    time_zone: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default=text("'active'"))
    created_at: Mapped[now_by_default]
    updated_at: Mapped[now_by_default]


class Tenant(Base):
    """An organization in one mode: the ``tenant_id`` of every row of every service."""

    __tablename__ = "tenants"
    __table_args__ = (
        UniqueConstraint("organization_id", "mode"),
        CheckConstraint("mode in ('live', 'test')", name="mode"),
    )

    id: Mapped[identifier]
    organization_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("organizations.id"))
    mode: Mapped[str] = mapped_column(Text)
    created_at: Mapped[now_by_default]


class PartnerLocation(Base):
    """Belongs to the organization, not to a mode. ``version`` orders what the services hear about it."""

    __tablename__ = "partner_locations"
    __table_args__ = (Index(None, "organization_id", "created_at", "id"),)

    id: Mapped[identifier]
    organization_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("organizations.id"))
    name: Mapped[str] = mapped_column(Text)
    time_zone: Mapped[str] = mapped_column(Text)
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    created_at: Mapped[now_by_default]
    updated_at: Mapped[now_by_default]
