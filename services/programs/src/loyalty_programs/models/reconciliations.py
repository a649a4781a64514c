"""Reconciliations: a till's receipts beside the ledger, and what became of those that were missing."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Sequence, text
from sqlalchemy.orm import Mapped, mapped_column

from loyalty_programs.models.base import Base, BigInt, Id, Moment, Money, Words

reconciliation_ids = Sequence("reconciliation_ids", metadata=Base.metadata)


class Reconciliation(Base):
    """What a caller asked about one card, compared once; ``source`` is theirs, and that of what is applied."""

    __tablename__ = "reconciliations"

    tenant_id: Mapped[Id]
    id: Mapped[Id]
    organization_id: Mapped[BigInt]
    loyalty_card_id: Mapped[BigInt]
    from_at: Mapped[Moment]
    to_at: Mapped[Moment]
    source: Mapped[Words]
    status: Mapped[Words]
    version: Mapped[BigInt] = mapped_column(server_default="1")
    created_at: Mapped[Moment]
    applying_at: Mapped[Moment | None]
    applied_at: Mapped[Moment | None]

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "loyalty_card_id"], ["loyalty_cards.tenant_id", "loyalty_cards.id"]),
        CheckConstraint("status in ('compared', 'applying', 'applied')", name="status"),
        CheckConstraint("from_at < to_at", name="window"),
        Index("ix_reconciliations_newest", "tenant_id", "created_at", "id"),
        Index("ix_reconciliations_applying", "tenant_id", "id", postgresql_where=text("status = 'applying'")),
    )


class ReconciliationEntry(Base):
    """A receipt that was sent, by its ``position``, or after those a ledger row that nobody sent.

    A missing one is open until it has an ``applied_transaction_id`` or an ``error``, never both. ``customer_email`` is
    that of somebody whom the directory did not know, until the entry is applied or 30 days are over.
    """

    __tablename__ = "reconciliation_entries"

    tenant_id: Mapped[Id]
    reconciliation_id: Mapped[Id]
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    status: Mapped[Words]
    reference: Mapped[Words | None]
    amount: Mapped[Money | None]
    currency: Mapped[Words | None]
    recorded_amount: Mapped[Money | None]
    recorded_currency: Mapped[Words | None]
    customer_id: Mapped[BigInt | None]
    customer_email: Mapped[Words | None]
    occurred_at: Mapped[Moment | None]
    transaction_id: Mapped[BigInt | None]
    applied_transaction_id: Mapped[BigInt | None]
    error: Mapped[Words | None]
    created_at: Mapped[Moment]

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "reconciliation_id"], ["reconciliations.tenant_id", "reconciliations.id"]),
        CheckConstraint(
            "status in ('matched', 'missing', 'amount_differs', 'reversed', 'not_in_request')", name="status"
        ),
        CheckConstraint("applied_transaction_id is null or error is null", name="one_outcome"),
        Index("ix_reconciliation_entries_newest", "tenant_id", "reconciliation_id", "created_at", "position"),
        Index(
            "ix_reconciliation_entries_by_status",
            "tenant_id",
            "reconciliation_id",
            "status",
            "created_at",
            "position",
        ),
        Index(
            "ix_reconciliation_entries_addresses",
            "tenant_id",
            "created_at",
            postgresql_where=text("customer_email is not null"),
        ),
        Index(
            "ix_reconciliation_entries_open",
            "tenant_id",
            "reconciliation_id",
            "position",
            postgresql_where=text("status = 'missing' and applied_transaction_id is null and error is null"),
        ),
    )
