"""Redemptions of vouchers, and how many of them stand."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, Sequence, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from loyalty_vouchers.models.base import Base, BigInt, Id, Moment, Money, Words

redemption_ids = Sequence("redemption_ids", metadata=Base.metadata)
_UNDONE = text("rolled_back_at is not null")


class Redemption(Base):
    """``voucher_code`` and ``currency`` are the voucher's at the time. ``redeemed_at`` is when it happened at the till.

    A redemption that was rolled back stays, and gives its order reference free. There is no foreign key to vouchers,
    which are never deleted: it would lock the voucher's row at every redemption.
    """

    __tablename__ = "redemptions"

    tenant_id: Mapped[Id]
    id: Mapped[Id]
    voucher_id: Mapped[BigInt]
    customer_id: Mapped[BigInt]
    voucher_code: Mapped[Words]
    order_amount: Mapped[Money]
    discount_amount: Mapped[Money]
    currency: Mapped[Words]
    order_reference: Mapped[Words | None]
    partner_location_id: Mapped[BigInt | None]
    notes: Mapped[Words | None]
    source: Mapped[Words]
    redeemed_at: Mapped[Moment]
    rolled_back_at: Mapped[Moment | None]
    created_at: Mapped[Moment]

    __table_args__ = (
        CheckConstraint("discount_amount between 0 and order_amount", name="discount_within_order"),
        CheckConstraint("source in ('api', 'dashboard', 'system', 'import')", name="source"),
        Index(
            "ux_redemptions_order_reference",
            "tenant_id",
            "voucher_id",
            "order_reference",
            unique=True,
            postgresql_where=text("rolled_back_at is null and order_reference is not null"),
        ),
        # The list of a voucher's redemptions, all of them or one customer's; the latter also counts a customer's uses.
        Index("ix_redemptions_newest", "tenant_id", "voucher_id", "created_at", "id"),
        Index("ix_redemptions_by_customer", "tenant_id", "voucher_id", "customer_id", "created_at", "id"),
        # The tenant's, for statistics and exports; a customer's, for the timeline.
        Index("ix_redemptions_redeemed_at", "tenant_id", "redeemed_at", "id"),
        Index("ix_redemptions_timeline", "tenant_id", "customer_id", "redeemed_at", "id"),
        # What was rolled back is little: these cost a redemption nothing.
        Index("ix_redemptions_rolled_back", "tenant_id", "voucher_id", "created_at", "id", postgresql_where=_UNDONE),
        Index(
            "ix_redemptions_rolled_back_timeline",
            "tenant_id",
            "customer_id",
            "rolled_back_at",
            "id",
            postgresql_where=_UNDONE,
        ),
        Index(
            "ix_redemptions_former_order_reference",
            "tenant_id",
            "voucher_id",
            "order_reference",
            postgresql_where=text("rolled_back_at is not null and order_reference is not null"),
        ),
    )


class RedemptionCount(Base):
    """How many redemptions of a voucher stand, in up to 16 rows to be added up.

    Kept by triggers on redemptions (migration 0002). One row per voucher would make the tills of an
    unlimited voucher wait for each other's commits; ``slot`` is the redemption's id modulo 16.
    """

    __tablename__ = "redemption_counts"

    tenant_id: Mapped[Id]
    voucher_id: Mapped[Id]
    slot: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    redemptions_count: Mapped[BigInt]

    # Room on each page for the next version of a row: counting touches no index.
    __table_args__ = {"postgresql_with": {"fillfactor": 50}}  # noqa: RUF012
