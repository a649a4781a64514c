"""Referral programs, the codes of their members, and who was referred by whom."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Sequence
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from loyalty_programs.models.base import Base, BigInt, Id, Moment, Words

referral_program_ids = Sequence("referral_program_ids", metadata=Base.metadata)
referral_milestone_ids = Sequence("referral_milestone_ids", metadata=Base.metadata)
referral_code_ids = Sequence("referral_code_ids", metadata=Base.metadata)
referral_ids = Sequence("referral_ids", metadata=Base.metadata)


class ReferralProgram(Base):
    """``milestones`` as the API shows them. A referral copies them: changing a program changes no referral."""

    __tablename__ = "referral_programs"

    tenant_id: Mapped[Id]
    id: Mapped[Id]
    loyalty_card_id: Mapped[BigInt]
    name: Mapped[Words]
    # Of the milestones' amounts: what the card earned in when the program was made.
    currency: Mapped[Words]
    referrer_points: Mapped[int]
    referred_points: Mapped[int]
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    is_active: Mapped[bool]
    milestones: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    version: Mapped[BigInt] = mapped_column(server_default="1")
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "loyalty_card_id"], ["loyalty_cards.tenant_id", "loyalty_cards.id"]),
        CheckConstraint("referrer_points >= 0 and referred_points >= 0", name="points_not_negative"),
        CheckConstraint("valid_until >= valid_from", name="window"),
        Index("ix_referral_programs_newest", "tenant_id", "created_at", "id"),
    )


class ReferralCode(Base):
    """A member's code in one program. It is made of the member's name, so it stands here and nowhere else."""

    __tablename__ = "referral_codes"

    tenant_id: Mapped[Id]
    id: Mapped[Id]
    referral_program_id: Mapped[BigInt]
    customer_id: Mapped[BigInt]
    referral_code: Mapped[Words]
    created_at: Mapped[Moment]

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "referral_program_id"], ["referral_programs.tenant_id", "referral_programs.id"]
        ),
        Index("ux_referral_codes_customer", "tenant_id", "customer_id", "referral_program_id", unique=True),
        Index("ux_referral_codes_code", "tenant_id", "referral_code", unique=True),
    )


class Referral(Base):
    """A friend is referred once per loyalty card. The lock of a referral is the friend's enrollment.

    ``milestones``: those of the program as they were promised, each with its progress; read and written as a whole.
    ``awaits_friend``: one that enrolling or buying completes is open, so the friend's purchases look at it.
    """

    __tablename__ = "referrals"

    tenant_id: Mapped[Id]
    id: Mapped[Id]
    referral_program_id: Mapped[BigInt]
    referral_code_id: Mapped[BigInt]
    loyalty_card_id: Mapped[BigInt]
    referrer_customer_id: Mapped[BigInt]
    referred_customer_id: Mapped[BigInt]
    currency: Mapped[Words]
    status: Mapped[Words]
    awaits_friend: Mapped[bool]
    milestones: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    created_at: Mapped[Moment]
    completed_at: Mapped[Moment | None]

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "referral_code_id"], ["referral_codes.tenant_id", "referral_codes.id"]),
        CheckConstraint("referrer_customer_id <> referred_customer_id", name="two_people"),
        CheckConstraint("status in ('pending', 'in_progress', 'completed')", name="status"),
        CheckConstraint("(status = 'completed') = (completed_at is not null)", name="completed"),
        # The friend first: it also lists by friend.
        Index("ux_referrals_friend", "tenant_id", "referred_customer_id", "loyalty_card_id", unique=True),
        Index("ix_referrals_newest", "tenant_id", "referral_program_id", "created_at", "id"),
        Index("ix_referrals_by_status", "tenant_id", "referral_program_id", "status", "created_at", "id"),
        Index("ix_referrals_of_referrer", "tenant_id", "referrer_customer_id", "created_at", "id"),
    )
