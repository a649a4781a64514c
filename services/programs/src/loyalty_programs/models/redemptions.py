"""Redemptions: points spent at a till."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Sequence, text
from sqlalchemy.orm import Mapped

from loyalty_programs.models.base import Base, BigInt, Id, Moment, Words

redemption_ids = Sequence("redemption_ids", metadata=Base.metadata)


class Redemption(Base):
    """What the ledger row cannot say of it: whether it still stands. Points, receipt and notes are that row's."""

    __tablename__ = "redemptions"

    tenant_id: Mapped[Id]
    id: Mapped[Id]
    loyalty_card_id: Mapped[BigInt]
    enrollment_id: Mapped[BigInt]
    transaction_id: Mapped[BigInt]
    status: Mapped[Words]
    reversed_at: Mapped[Moment | None]
    created_at: Mapped[Moment]

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "transaction_id"], ["points_transactions.tenant_id", "points_transactions.id"]
        ),
        CheckConstraint("status in ('redeemed', 'reversed')", name="status"),
        CheckConstraint("(status = 'reversed') = (reversed_at is not null)", name="reversed_at"),
        # Found by its receipt, and by the ledger row that is to be reversed.
        Index("ux_redemptions_transaction", "tenant_id", "transaction_id", unique=True),
        Index("ix_redemptions_newest", "tenant_id", "loyalty_card_id", "created_at", "id"),
        Index("ix_redemptions_of_enrollment", "tenant_id", "enrollment_id", "created_at", "id"),
        # They are few: without it a page of them would be looked for among all the others.
        Index(
            "ix_redemptions_reversed",
            "tenant_id",
            "loyalty_card_id",
            "created_at",
            "id",
            postgresql_where=text("status = 'reversed'"),
        ),
    )
