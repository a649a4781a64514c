"""The points ledger, append-only, and what each spend took from which lot."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Sequence, text
from sqlalchemy.orm import Mapped

from loyalty_programs.models.base import Base, BigInt, Id, Moment, Money, Words

points_transaction_ids = Sequence("points_transaction_ids", metadata=Base.metadata)


class PointsTransaction(Base):
    """One ledger row. Corrections are new rows; only ``points_remaining`` of a lot is ever changed.

    A positive row is a lot: ``points_remaining`` of its points are not spent yet, and go after ``expires_on``.
    At all times: balance = sum of ``points_delta`` = the last ``points_balance_after``, and the remainders of an
    enrollment's lots add up to its balance, or to 0 where that is a debt.
    """

    __tablename__ = "points_transactions"

    tenant_id: Mapped[Id]
    id: Mapped[Id]
    loyalty_card_id: Mapped[BigInt]
    enrollment_id: Mapped[BigInt]
    customer_id: Mapped[BigInt]
    type: Mapped[Words]
    # Which of the card's operations used the reference up; null for rows that are written by the way (a bonus).
    operation: Mapped[Words | None]
    reference: Mapped[Words | None]
    points_delta: Mapped[BigInt]
    points_balance_after: Mapped[BigInt]
    points_remaining: Mapped[BigInt]
    expires_on: Mapped[date | None]
    amount: Mapped[Money | None]
    currency: Mapped[Words | None]
    # The rule a purchase earned by, in its currency: refunds go by it, whatever the card says by then.
    earn_spend_amount: Mapped[Money | None]
    earn_points: Mapped[int | None]
    partner_location_id: Mapped[BigInt | None]
    notes: Mapped[Words | None]
    source: Mapped[Words]
    reverses_transaction_id: Mapped[BigInt | None]
    redemption_id: Mapped[BigInt | None]
    reward_claim_id: Mapped[BigInt | None]
    referral_id: Mapped[BigInt | None]
    occurred_at: Mapped[Moment]
    recorded_at: Mapped[Moment]

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "enrollment_id"], ["enrollments.tenant_id", "enrollments.id"]),
        CheckConstraint("type in ('earn', 'bonus', 'adjust', 'redeem', 'reverse', 'expire')", name="type"),
        CheckConstraint("operation in ('transactions', 'redemptions', 'reverse')", name="operation"),
        CheckConstraint("source in ('api', 'dashboard', 'system', 'import')", name="source"),
        CheckConstraint("points_remaining between 0 and greatest(points_delta, 0)", name="lot_remainder"),
        CheckConstraint("(amount is null) = (currency is null)", name="amount_has_currency"),
        Index(
            "ux_points_transactions_reference",
            "tenant_id",
            "loyalty_card_id",
            "operation",
            "reference",
            unique=True,
            postgresql_where=text("reference is not null"),
        ),
        Index("ix_points_transactions_newest", "tenant_id", "loyalty_card_id", "recorded_at", "id"),
        Index("ix_points_transactions_of_enrollment", "tenant_id", "enrollment_id", "recorded_at", "id"),
        Index(
            "ix_points_transactions_lots",
            "tenant_id",
            "enrollment_id",
            "expires_on",
            "id",
            postgresql_where=text("points_remaining > 0"),
        ),
        # A plain purchase is in none of these.
        Index(
            "ix_points_transactions_due",
            "tenant_id",
            "loyalty_card_id",
            "expires_on",
            postgresql_where=text("points_remaining > 0 and expires_on is not null"),
        ),
        Index(
            "ix_points_transactions_reversals",
            "tenant_id",
            "reverses_transaction_id",
            postgresql_where=text("reverses_transaction_id is not null"),
        ),
        Index(
            "ix_points_transactions_of_type",
            "tenant_id",
            "loyalty_card_id",
            "type",
            "recorded_at",
            "id",
            postgresql_where=text("type <> 'earn'"),
        ),
    )


class LotSpend(Base):
    """How many points a negative row took from a lot: giving them back restores their old expiry."""

    __tablename__ = "lot_spends"

    tenant_id: Mapped[Id]
    transaction_id: Mapped[Id]
    lot_transaction_id: Mapped[Id]
    points: Mapped[BigInt]

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "transaction_id"],
            ["points_transactions.tenant_id", "points_transactions.id"],
            name="fk_lot_spends_spend",
        ),
        ForeignKeyConstraint(
            ["tenant_id", "lot_transaction_id"],
            ["points_transactions.tenant_id", "points_transactions.id"],
            name="fk_lot_spends_lot",
        ),
        CheckConstraint("points > 0", name="points"),
    )
