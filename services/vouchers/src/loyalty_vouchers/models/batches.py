"""Batches: many vouchers of one kind, each with a code of its own."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, Sequence
from sqlalchemy.orm import Mapped

from loyalty_vouchers.models.base import Base, BigInt, Id, Moment, Words
from loyalty_vouchers.models.vouchers import Grant, grant_checks

voucher_batch_ids = Sequence("voucher_batch_ids", metadata=Base.metadata)


class VoucherBatch(Grant, Base):
    """As it was ordered. Its vouchers are made in the transaction that makes it, and may change one by one later."""

    __tablename__ = "voucher_batches"

    tenant_id: Mapped[Id]
    id: Mapped[Id]
    quantity: Mapped[BigInt]
    code_prefix: Mapped[Words | None]
    code_length: Mapped[BigInt]
    created_at: Mapped[Moment]

    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity_is_positive"),
        CheckConstraint("code_length > 0", name="code_length_is_positive"),
        *grant_checks(),
        Index("ix_voucher_batches_newest", "tenant_id", "created_at", "id"),
    )
