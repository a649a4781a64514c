"""What points of a loyalty card are spent on, and who claimed it."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Sequence
from sqlalchemy.orm import Mapped, mapped_column

from loyalty_programs.models.base import Base, BigInt, Id, Moment, Words

loyalty_reward_ids = Sequence("loyalty_reward_ids", metadata=Base.metadata)
reward_claim_ids = Sequence("reward_claim_ids", metadata=Base.metadata)


class LoyaltyReward(Base):
    """The reward row is the lock of its stock: two claims of the last piece queue at it.

    ``claimed_count``: claims that are not cancelled, counted for an unlimited reward too, which may get a limit later.
    """

    __tablename__ = "loyalty_rewards"

    tenant_id: Mapped[Id]
    id: Mapped[Id]
    loyalty_card_id: Mapped[BigInt]
    title: Mapped[Words]
    description: Mapped[Words | None]
    points_cost: Mapped[BigInt]
    quantity: Mapped[BigInt | None]
    claimed_count: Mapped[BigInt]
    max_claims_per_customer: Mapped[BigInt | None]
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    is_active: Mapped[bool]
    version: Mapped[BigInt] = mapped_column(server_default="1")
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "loyalty_card_id"], ["loyalty_cards.tenant_id", "loyalty_cards.id"]),
        CheckConstraint("points_cost > 0", name="costs_points"),
        CheckConstraint("claimed_count >= 0 and claimed_count <= quantity", name="stock"),
        CheckConstraint("max_claims_per_customer > 0", name="claims_per_customer"),
        CheckConstraint("valid_until >= valid_from", name="window"),
        Index("ix_loyalty_rewards_newest", "tenant_id", "loyalty_card_id", "created_at", "id"),
        # Room for the next version of a row: its stock changes with every claim, without touching an index.
        {"postgresql_with": {"fillfactor": 70}},
    )


class RewardClaim(Base):
    """A reward that a member paid for; title and cost are as they were then.

    Nothing changes it but under the lock of its enrollment. ``points_transaction_id``: the row that paid.
    """

    __tablename__ = "reward_claims"

    tenant_id: Mapped[Id]
    id: Mapped[Id]
    loyalty_reward_id: Mapped[BigInt]
    loyalty_card_id: Mapped[BigInt]
    enrollment_id: Mapped[BigInt]
    customer_id: Mapped[BigInt]
    points_transaction_id: Mapped[BigInt]
    reward_title: Mapped[Words]
    points_cost: Mapped[BigInt]
    claim_code: Mapped[Words]
    status: Mapped[Words]
    partner_location_id: Mapped[BigInt | None]
    notes: Mapped[Words | None]
    order_reference: Mapped[Words | None]
    claimed_at: Mapped[Moment]
    fulfilled_at: Mapped[Moment | None]
    cancelled_at: Mapped[Moment | None]
    created_at: Mapped[Moment]

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "loyalty_reward_id"], ["loyalty_rewards.tenant_id", "loyalty_rewards.id"]),
        ForeignKeyConstraint(["tenant_id", "enrollment_id"], ["enrollments.tenant_id", "enrollments.id"]),
        ForeignKeyConstraint(
            ["tenant_id", "points_transaction_id"], ["points_transactions.tenant_id", "points_transactions.id"]
        ),
        CheckConstraint("status in ('claimed', 'fulfilled', 'cancelled')", name="status"),
        CheckConstraint("(status = 'fulfilled') = (fulfilled_at is not null)", name="fulfilled_at"),
        CheckConstraint("(status = 'cancelled') = (cancelled_at is not null)", name="cancelled_at"),
        Index("ux_reward_claims_claim_code", "tenant_id", "claim_code", unique=True),
        Index("ix_reward_claims_newest", "tenant_id", "loyalty_card_id", "created_at", "id"),
        Index("ix_reward_claims_by_status", "tenant_id", "loyalty_card_id", "status", "created_at", "id"),
        Index("ix_reward_claims_of_customer", "tenant_id", "customer_id", "loyalty_card_id", "created_at", "id"),
    )
