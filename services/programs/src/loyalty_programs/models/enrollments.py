"""Enrollments: a customer's membership of one loyalty card, and the balance of its ledger."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Sequence
from sqlalchemy.orm import Mapped, mapped_column

from loyalty_programs.models.base import Base, BigInt, Id, Moment, Words

enrollment_ids = Sequence("enrollment_ids", metadata=Base.metadata)


class Enrollment(Base):
    """The enrollment row is the lock of its ledger: two purchases at once queue at it.

    ``points_balance`` is written in the statement that writes the ledger row; ``version`` counts those writes.
    It may be below zero (a debt) after a refund of points that were spent already.
    """

    __tablename__ = "enrollments"

    tenant_id: Mapped[Id]
    id: Mapped[Id]
    loyalty_card_id: Mapped[BigInt]
    customer_id: Mapped[BigInt]
    member_number: Mapped[Words]
    status: Mapped[Words]
    points_balance: Mapped[BigInt]
    version: Mapped[BigInt] = mapped_column(server_default="1")
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "loyalty_card_id"], ["loyalty_cards.tenant_id", "loyalty_cards.id"]),
        CheckConstraint("status in ('active', 'suspended')", name="status"),
        Index("ux_enrollments_customer", "tenant_id", "loyalty_card_id", "customer_id", unique=True),
        Index("ux_enrollments_member_number", "tenant_id", "member_number", unique=True),
        Index("ix_enrollments_newest", "tenant_id", "loyalty_card_id", "created_at", "id"),
        Index("ix_enrollments_by_status", "tenant_id", "loyalty_card_id", "status", "created_at", "id"),
        Index("ix_enrollments_of_customer", "tenant_id", "customer_id"),
        # Room on each page for the next version of a row: a balance changes without touching an index.
        {"postgresql_with": {"fillfactor": 70}},
    )
