"""Loyalty cards: points programs, what they earn and how long they are valid."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Index, Sequence, func
from sqlalchemy.orm import Mapped, mapped_column

from loyalty_programs.models.base import Base, BigInt, Id, Moment, Money, Words

loyalty_card_ids = Sequence("loyalty_card_ids", metadata=Base.metadata)


class LoyaltyCard(Base):
    __tablename__ = "loyalty_cards"

    tenant_id: Mapped[Id]
    id: Mapped[Id]
    # Locations belong to the organization, not to the tenant; jobs, which have no caller, find the time zone by it.
    organization_id: Mapped[BigInt]
    partner_location_id: Mapped[BigInt]
    name: Mapped[Words]
    card_identifier: Mapped[Words]
    is_active: Mapped[bool]
    earn_spend_amount: Mapped[Money | None]
    earn_points: Mapped[int | None]
    earn_currency: Mapped[Words]
    initial_bonus_points: Mapped[int]
    date_issued: Mapped[date]
    expiry_date: Mapped[date | None]
    auto_enroll: Mapped[bool]
    points_expire_after_months: Mapped[int | None]
    refund_floor: Mapped[Words]
    version: Mapped[BigInt] = mapped_column(server_default="1")
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]

    __table_args__ = (
        CheckConstraint("(earn_spend_amount is null) = (earn_points is null)", name="whole_earn_rule"),
        CheckConstraint("earn_spend_amount > 0 and earn_points > 0", name="positive_earn_rule"),
        CheckConstraint("initial_bonus_points >= 0", name="bonus_not_negative"),
        CheckConstraint("points_expire_after_months > 0", name="points_live_a_month"),
        CheckConstraint("expiry_date >= date_issued", name="expires_after_issue"),
        CheckConstraint("refund_floor in ('negative', 'zero')", name="refund_floor"),
    )


Index("ux_loyalty_cards_card_identifier", LoyaltyCard.tenant_id, func.lower(LoyaltyCard.card_identifier), unique=True)
Index("ix_loyalty_cards_newest", LoyaltyCard.tenant_id, LoyaltyCard.created_at, LoyaltyCard.id)
