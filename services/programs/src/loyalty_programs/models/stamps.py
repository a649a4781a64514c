"""Stamp cards, who collects on them, the stamps ledger and the rewards it unlocks."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Sequence, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from loyalty_programs.models.base import Base, BigInt, Id, Moment, Money, Words

stamp_card_ids = Sequence("stamp_card_ids", metadata=Base.metadata)
stamp_membership_ids = Sequence("stamp_membership_ids", metadata=Base.metadata)
stamp_transaction_ids = Sequence("stamp_transaction_ids", metadata=Base.metadata)
stamp_reward_ids = Sequence("stamp_reward_ids", metadata=Base.metadata)


class StampCard(Base):
    __tablename__ = "stamp_cards"

    tenant_id: Mapped[Id]
    id: Mapped[Id]
    organization_id: Mapped[BigInt]
    partner_location_id: Mapped[BigInt]
    name: Mapped[Words]
    is_active: Mapped[bool]
    stamps_required_for_reward: Mapped[int]
    stamps_per_purchase: Mapped[int]
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    reward_title: Mapped[Words]
    version: Mapped[BigInt] = mapped_column(server_default="1")
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]

    __table_args__ = (
        CheckConstraint("stamps_required_for_reward > 0", name="needs_stamps"),
        CheckConstraint("stamps_per_purchase > 0", name="gives_stamps"),
        CheckConstraint("valid_until >= valid_from", name="window"),
        Index("ix_stamp_cards_newest", "tenant_id", "created_at", "id"),
    )


class StampMembership(Base):
    """A customer's place on a stamp card, made by the first stamp: the lock of its stamps."""

    __tablename__ = "stamp_memberships"

    tenant_id: Mapped[Id]
    id: Mapped[Id]
    stamp_card_id: Mapped[BigInt]
    customer_id: Mapped[BigInt]
    stamps_balance: Mapped[BigInt]
    version: Mapped[BigInt] = mapped_column(server_default="1")
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "stamp_card_id"], ["stamp_cards.tenant_id", "stamp_cards.id"]),
        CheckConstraint("stamps_balance >= 0", name="balance_not_negative"),
        Index("ux_stamp_memberships_customer", "tenant_id", "stamp_card_id", "customer_id", unique=True),
        Index("ix_stamp_memberships_of_customer", "tenant_id", "customer_id"),
        {"postgresql_with": {"fillfactor": 70}},
    )


class StampTransaction(Base):
    """One row of the stamps ledger, append-only.

    The rows that one request wrote share its ``reference`` and are told apart by ``position``, the earn row
    being 0: the unique index lets a reference through once and finds all rows of it.
    """

    __tablename__ = "stamp_transactions"

    tenant_id: Mapped[Id]
    id: Mapped[Id]
    stamp_card_id: Mapped[BigInt]
    stamp_membership_id: Mapped[BigInt]
    customer_id: Mapped[BigInt]
    type: Mapped[Words]
    operation: Mapped[Words]
    reference: Mapped[Words | None]
    position: Mapped[int] = mapped_column(SmallInteger)
    stamps_delta: Mapped[BigInt]
    stamps_balance_after: Mapped[BigInt]
    quantity: Mapped[int | None]
    amount: Mapped[Money | None]
    currency: Mapped[Words | None]
    partner_location_id: Mapped[BigInt | None]
    notes: Mapped[Words | None]
    source: Mapped[Words]
    stamp_reward_id: Mapped[BigInt | None]
    reverses_stamp_id: Mapped[BigInt | None]
    occurred_at: Mapped[Moment]
    recorded_at: Mapped[Moment]

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "stamp_membership_id"], ["stamp_memberships.tenant_id", "stamp_memberships.id"]
        ),
        CheckConstraint("type in ('earn', 'reward', 'reverse')", name="type"),
        CheckConstraint("operation in ('stamps', 'reverse')", name="operation"),
        CheckConstraint("source in ('api', 'dashboard', 'system', 'import')", name="source"),
        CheckConstraint("(amount is null) = (currency is null)", name="amount_has_currency"),
        Index(
            "ux_stamp_transactions_reference",
            "tenant_id",
            "stamp_card_id",
            "operation",
            "reference",
            "position",
            unique=True,
            postgresql_where=text("reference is not null"),
        ),
        Index(
            "ux_stamp_transactions_reversal",
            "tenant_id",
            "reverses_stamp_id",
            unique=True,
            postgresql_where=text("reverses_stamp_id is not null"),
        ),
        Index(
            "ix_stamp_transactions_of_type",
            "tenant_id",
            "stamp_card_id",
            "type",
            "recorded_at",
            "id",
            postgresql_where=text("type <> 'earn'"),
        ),
        Index("ix_stamp_transactions_newest", "tenant_id", "stamp_card_id", "recorded_at", "id"),
        Index("ix_stamp_transactions_of_membership", "tenant_id", "stamp_membership_id", "recorded_at", "id"),
    )


class StampReward(Base):
    __tablename__ = "stamp_rewards"

    tenant_id: Mapped[Id]
    id: Mapped[Id]
    stamp_card_id: Mapped[BigInt]
    stamp_membership_id: Mapped[BigInt]
    customer_id: Mapped[BigInt]
    title: Mapped[Words]
    status: Mapped[Words]
    order_reference: Mapped[Words | None]
    partner_location_id: Mapped[BigInt | None]
    notes: Mapped[Words | None]
    unlocked_at: Mapped[Moment]
    fulfilled_at: Mapped[Moment | None]
    revoked_at: Mapped[Moment | None]
    created_at: Mapped[Moment]

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "stamp_membership_id"], ["stamp_memberships.tenant_id", "stamp_memberships.id"]
        ),
        CheckConstraint("status in ('unlocked', 'fulfilled', 'revoked')", name="status"),
        Index("ix_stamp_rewards_newest", "tenant_id", "stamp_card_id", "created_at", "id"),
        Index("ix_stamp_rewards_of_status", "tenant_id", "stamp_card_id", "status", "created_at", "id"),
        Index("ix_stamp_rewards_of_membership", "tenant_id", "stamp_membership_id", "status"),
        Index("ix_stamp_rewards_newest_of_membership", "tenant_id", "stamp_membership_id", "created_at", "id"),
    )
