"""What a loyalty card lays down, and whether it is valid at a moment. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from loyalty_programs.domain.dates import local_date, months_after
from loyalty_programs.domain.errors import CardExpired, CardInactive, CardNotYetValid


@dataclass(frozen=True, slots=True)
class EarnRule:
    """``points`` for every whole ``spend`` of ``currency``."""

    spend: Decimal
    points: int
    currency: str


@dataclass(frozen=True, slots=True)
class CardTerms:
    """``time_zone`` is that of the card's partner location: all of the card's dates are days there."""

    name: str
    is_active: bool
    date_issued: date
    expiry_date: date | None
    time_zone: str
    earn_rule: EarnRule | None = None
    initial_bonus_points: int = 0
    auto_enroll: bool = False
    points_expire_after_months: int | None = None

    def points_expire_on(self, occurred_at: datetime) -> date | None:
        """The last day on which points of ``occurred_at`` can be spent; none if they never expire."""
        if self.points_expire_after_months is None:
            return None
        return months_after(local_date(occurred_at, self.time_zone), self.points_expire_after_months)


def check_active(card: CardTerms) -> None:
    if not card.is_active:
        raise CardInactive(card.name)


def check_window(card: CardTerms, at: datetime) -> None:
    """Both dates are days on which the card is valid, from their first instant to their last."""
    today = local_date(at, card.time_zone)
    if today < card.date_issued:
        raise CardNotYetValid(card.name, date_issued=card.date_issued)
    if card.expiry_date is not None and today > card.expiry_date:
        raise CardExpired(card.name, expiry_date=card.expiry_date)


def check_valid(card: CardTerms, at: datetime) -> None:
    """For everything that moves points but a reversal; ``at`` is when it happened, not when we heard of it."""
    check_active(card)
    check_window(card, at)
