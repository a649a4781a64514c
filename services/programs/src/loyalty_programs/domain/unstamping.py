"""What taking a purchase's stamps back does to the balance and to rewards. Pure.

A customer's stamps are alike: those of a purchase are taken from what has not been turned into a reward yet. Where
that is not enough, unlocked rewards are revoked and give back the stamps that they took: first those that this
purchase unlocked, then the newest; only as many as it takes to keep the balance from going below zero. So the
customer is left with what his other purchases would have given him.

Refused: when too few rewards are left to revoke, because others were handed out, and whenever a reward that this very
purchase unlocked was handed out, even if later stamps would make up for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from loyalty_programs.domain.errors import NotReversible
from loyalty_programs.domain.stamping import StampEntry


@dataclass(frozen=True, slots=True)
class EarlierReward:
    """A reward that the customer's card unlocked.

    ``stamp_id``: the ledger row that took ``stamps`` for it. ``is_own``: unlocked by the purchase in question.
    """

    reward_id: int
    stamp_id: int
    stamps: int
    status: str
    is_own: bool


@dataclass(frozen=True, slots=True)
class Reversal:
    """The first entry takes the stamps, each of the others gives back those of ``revoked``, in the same order.

    Only the last balance counts: that between the entries may be below zero.
    """

    entries: tuple[StampEntry, ...]
    revoked: tuple[EarlierReward, ...]


def unstamp(stamps: int, *, stamps_balance: int, rewards: Iterable[EarlierReward]) -> Reversal:
    """Take ``stamps`` > 0 of one purchase back; ``rewards`` are all of the customer's on the card, in any order."""
    rewards = list(rewards)
    if any(reward.is_own and reward.status == "fulfilled" for reward in rewards):
        raise NotReversible("The reward that these stamps unlocked was handed out.")
    balance = stamps_balance - stamps
    entries, revoked = [StampEntry("reverse", -stamps, balance)], []
    unlocked = [reward for reward in rewards if reward.status == "unlocked"]
    for reward in sorted(unlocked, key=lambda reward: (not reward.is_own, -reward.stamp_id)):
        if balance >= 0:
            break
        balance += reward.stamps
        entries.append(StampEntry("reverse", reward.stamps, balance))
        revoked.append(reward)
    if balance < 0:
        raise NotReversible("These stamps went into a reward that was handed out.")
    return Reversal(tuple(entries), tuple(revoked))
