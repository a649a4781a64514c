"""Who may claim a reward, and what becomes of a claim. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from loyalty_programs.domain.dates import local_date
from loyalty_programs.domain.enrolling import active_member
from loyalty_programs.domain.errors import (
    ClaimAlreadyCancelled,
    ClaimAlreadyFulfilled,
    RewardExpired,
    RewardInactive,
    RewardLimitReached,
    RewardNotYetValid,
    RewardOutOfStock,
)
from loyalty_programs.domain.ledger import Entry, Member, spend
from loyalty_programs.domain.lots import Lot
from loyalty_programs.domain.terms import CardTerms, check_valid

CLAIMED, FULFILLED, CANCELLED = "claimed", "fulfilled", "cancelled"

# Nothing in it is read as something else: no 0 and O, no 1 and I.
_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
CODES = len(_LETTERS) ** 8
"""How many claim codes there are; ``claim_code`` takes one of ``range(CODES)``."""


@dataclass(frozen=True, slots=True)
class RewardTerms:
    """``claimed_count``: claims of everybody that are not cancelled. Its dates are days where the card is at home."""

    title: str
    points_cost: int
    quantity: int | None
    claimed_count: int
    max_claims_per_customer: int | None
    valid_from: date | None
    valid_until: date | None
    is_active: bool


def claim(
    card: CardTerms,
    member: Member | None,
    reward: RewardTerms,
    *,
    claims_of_customer: int,
    at: datetime,
    lots: Iterable[Lot],
) -> Entry:
    """The debit that pays for the reward; refusals are ``CardRefusal``, ``EnrollmentRefusal``, ``RewardRefusal``
    and ``InsufficientPoints``.

    ``claims_of_customer``: those of this reward that are not cancelled. ``lots``: enough to cover its cost.
    """
    check_valid(card, at)
    points_balance = active_member(member).points_balance
    check_claimable(reward, local_date(at, card.time_zone))
    limit = reward.max_claims_per_customer
    if limit is not None and claims_of_customer >= limit:
        raise RewardLimitReached(reward.title, limit=limit)
    return spend("redeem", reward.points_cost, points_balance=points_balance, lots=lots, field=None)


def check_claimable(reward: RewardTerms, today: date) -> None:
    """Both dates are days on which the reward can be claimed, from their first instant to their last."""
    if not reward.is_active:
        raise RewardInactive(reward.title)
    if reward.valid_from is not None and today < reward.valid_from:
        raise RewardNotYetValid(reward.title, valid_from=reward.valid_from)
    if reward.valid_until is not None and today > reward.valid_until:
        raise RewardExpired(reward.title, valid_until=reward.valid_until)
    if reward.quantity is not None and reward.claimed_count >= reward.quantity:
        raise RewardOutOfStock(reward.title)


def check_open(status: str) -> None:
    """For what ends a claim, which happens once. Neither card nor enrollment is asked: the points are paid."""
    if status == FULFILLED:
        raise ClaimAlreadyFulfilled
    if status == CANCELLED:
        raise ClaimAlreadyCancelled


def is_repetition(status: str, *, stored_reference: str | None, order_reference: str | None) -> bool:
    """Whether the claim was fulfilled for this very order; without a reference nothing says so."""
    return status == FULFILLED and order_reference is not None and order_reference == stored_reference


def claim_code(chosen: int) -> str:
    """``0`` → ``CLM-2222-2222``; one that is taken violates the unique index and another is drawn."""
    letters = ""
    for _ in range(8):
        chosen, letter = divmod(chosen, len(_LETTERS))
        letters = _LETTERS[letter] + letters
    return f"CLM-{letters[:4]}-{letters[4:]}"
