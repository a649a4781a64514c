"""What a purchase does to a customer's stamps. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from loyalty_programs.domain.dates import local_date
from loyalty_programs.domain.errors import StampCardExpired, StampCardInactive, StampCardNotYetValid


@dataclass(frozen=True, slots=True)
class StampCardTerms:
    """``time_zone`` is that of the card's partner location; a window without an end has ``None`` there."""

    name: str
    is_active: bool
    stamps_required_for_reward: int
    stamps_per_purchase: int
    valid_from: date | None
    valid_until: date | None
    time_zone: str


@dataclass(frozen=True, slots=True)
class StampEntry:
    """A row of the stamps ledger to be. Every ``reward`` row unlocks one reward."""

    type: str
    stamps_delta: int
    stamps_balance_after: int


def check_valid(card: StampCardTerms, at: datetime) -> None:
    if not card.is_active:
        raise StampCardInactive(card.name)
    today = local_date(at, card.time_zone)
    if card.valid_from is not None and today < card.valid_from:
        raise StampCardNotYetValid(card.name, valid_from=card.valid_from)
    if card.valid_until is not None and today > card.valid_until:
        raise StampCardExpired(card.name, valid_until=card.valid_until)


def stamp(card: StampCardTerms, *, stamps_balance: int, quantity: int, occurred_at: datetime) -> tuple[StampEntry, ...]:
    """The earn row and one reward row for every full card; what is left over counts for the next.

    9 of 10 and 3 more: ``earn +3 → 12``, ``reward -10 → 2``.
    """
    check_valid(card, occurred_at)
    required = card.stamps_required_for_reward
    balance = stamps_balance + card.stamps_per_purchase * quantity
    entries = [StampEntry("earn", balance - stamps_balance, balance)]
    while balance >= required:
        balance -= required
        entries.append(StampEntry("reward", -required, balance))
    return tuple(entries)
