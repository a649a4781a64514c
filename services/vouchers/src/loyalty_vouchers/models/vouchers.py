"""Vouchers: what they grant, when, and how often."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Index, Sequence, func, text
from sqlalchemy.orm import Mapped

from loyalty_vouchers.models.base import Base, BigInt, Id, Moment, Money, Words

voucher_ids = Sequence("voucher_ids", metadata=Base.metadata)


class Grant:
    """The columns of what a voucher grants: its own, or those that all vouchers of a batch began with.

    ``discount_value`` is per cent or an amount in ``currency``; a limit of null is no limit.
    """

    # Locations belong to the organization, not to the tenant: the time zone is found by it.
    organization_id: Mapped[BigInt]
    partner_location_id: Mapped[BigInt]
    name: Mapped[Words]
    is_active: Mapped[bool]
    discount_type: Mapped[Words]
    discount_value: Mapped[Money]
    currency: Mapped[Words]
    minimum_order_amount: Mapped[Money | None]
    max_discount_amount: Mapped[Money | None]
    max_redemptions: Mapped[BigInt | None]
    max_redemptions_per_customer: Mapped[BigInt | None]
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]


def grant_checks() -> tuple[CheckConstraint, ...]:
    return (
        CheckConstraint("discount_type in ('percent', 'fixed')", name="discount_type"),
        CheckConstraint("discount_value > 0", name="discount_is_positive"),
        CheckConstraint("discount_type = 'fixed' or discount_value <= 100", name="percent_at_most_100"),
        CheckConstraint("minimum_order_amount > 0 and max_discount_amount > 0", name="amounts_are_positive"),
        CheckConstraint("max_redemptions > 0 and max_redemptions_per_customer > 0", name="limits_are_positive"),
        CheckConstraint("valid_until >= valid_from", name="window"),
    )


class Voucher(Grant, Base):
    """Where a limit is set, the row is the lock of its redemptions; without one nobody waits for it."""

    __tablename__ = "vouchers"

    tenant_id: Mapped[Id]
    id: Mapped[Id]
    voucher_batch_id: Mapped[BigInt | None]
    voucher_code: Mapped[Words]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]

    __table_args__ = (
        CheckConstraint("voucher_code ~ '^[A-Za-z0-9_-]{1,64}$'", name="voucher_code"),
        *grant_checks(),
        # One for each filter of the list, in the list's order.
        Index("ix_vouchers_newest", "tenant_id", "created_at", "id"),
        Index("ix_vouchers_active", "tenant_id", "is_active", "created_at", "id"),
        Index("ix_vouchers_location", "tenant_id", "partner_location_id", "created_at", "id"),
        Index(
            "ix_vouchers_batch",
            "tenant_id",
            "voucher_batch_id",
            "created_at",
            "id",
            postgresql_where=text("voucher_batch_id is not null"),
        ),
        # What a wallet shows: of a million codes in batches it is one's own business who has which.
        Index(
            "ix_vouchers_offered",
            "tenant_id",
            "created_at",
            "id",
            postgresql_where=text("is_active and voucher_batch_id is null"),
        ),
    )


Index("ux_vouchers_voucher_code", Voucher.tenant_id, func.lower(Voucher.voucher_code), unique=True)
