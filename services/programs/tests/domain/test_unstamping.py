"""What is left to a customer when the stamps of a purchase are taken back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_programs.domain import errors
from loyalty_programs.domain.stamping import StampCardTerms, StampEntry, stamp
from loyalty_programs.domain.unstamping import EarlierReward, unstamp

NOON = datetime(2026, 5, 16, 12, tzinfo=UTC)


def reward(number: int, *, stamps: int = 10, status: str = "unlocked", is_own: bool = False) -> EarlierReward:
    return EarlierReward(number, stamp_id=100 + number, stamps=stamps, status=status, is_own=is_own)


def deltas(stamps: int, *, have: int, rewards: list[EarlierReward]) -> tuple[list[tuple[int, int]], list[int]]:
    reversal = unstamp(stamps, stamps_balance=have, rewards=rewards)
    assert {entry.type for entry in reversal.entries} == {"reverse"}
    rows = [(entry.stamps_delta, entry.stamps_balance_after) for entry in reversal.entries]
    return rows, [revoked.reward_id for revoked in reversal.revoked]


def test_stamps_that_are_still_there_go_without_more_ado() -> None:
    assert deltas(3, have=4, rewards=[reward(1), reward(2, status="fulfilled")]) == ([(-3, 1)], [])


def test_a_purchase_that_unlocked_a_reward_takes_it_back_and_leaves_what_was_there_before() -> None:
    # 9 of 10, and 3 more: the reward, and 2 left.
    assert deltas(3, have=2, rewards=[reward(55, is_own=True)]) == ([(-3, -1), (10, 9)], [55])


def test_stamps_that_went_into_a_reward_of_a_later_purchase_revoke_that() -> None:
    assert deltas(1, have=0, rewards=[reward(55)]) == ([(-1, -1), (10, 9)], [55])


def test_later_stamps_fill_the_gap_and_the_reward_stays() -> None:
    assert deltas(3, have=7, rewards=[reward(55, is_own=True)]) == ([(-3, 4)], [])


def test_a_large_purchase_takes_as_many_rewards_back_as_it_needs() -> None:
    own = [reward(1, is_own=True), reward(2, is_own=True)]
    assert deltas(25, have=5, rewards=own) == ([(-25, -20), (10, -10), (10, 0)], [2, 1])


def test_its_own_rewards_go_first_and_then_the_newest() -> None:
    rewards = [reward(1), reward(2, is_own=True), reward(3), reward(4)]
    assert deltas(12, have=0, rewards=rewards)[1] == [2, 4]


def test_a_reward_gives_back_what_it_took_when_the_card_asked_for_another_number() -> None:
    assert deltas(3, have=2, rewards=[reward(1, stamps=5)]) == ([(-3, -1), (5, 4)], [1])


def test_stamps_of_a_reward_that_was_handed_out_stay() -> None:
    with pytest.raises(errors.NotReversible):
        unstamp(1, stamps_balance=0, rewards=[reward(55, status="fulfilled")])
    with pytest.raises(errors.NotReversible):
        unstamp(25, stamps_balance=5, rewards=[reward(1), reward(2, status="fulfilled")])


def test_a_purchase_whose_own_reward_was_handed_out_stays_even_if_later_stamps_would_do() -> None:
    with pytest.raises(errors.NotReversible):
        unstamp(3, stamps_balance=7, rewards=[reward(55, status="fulfilled", is_own=True), reward(56)])


def test_a_revoked_reward_has_nothing_more_to_give() -> None:
    with pytest.raises(errors.NotReversible):
        unstamp(3, stamps_balance=2, rewards=[reward(55, status="revoked", is_own=True)])


@dataclass
class Card:
    """A customer's stamp card as a plain model: rows in order, rewards by number."""

    terms: StampCardTerms
    rows: list[tuple[int, int]] = field(default_factory=list)
    rewards: dict[int, EarlierReward] = field(default_factory=dict)
    purchases: dict[int, int] = field(default_factory=dict)
    unlocked_by: dict[int, int] = field(default_factory=dict)

    @property
    def balance(self) -> int:
        return self.rows[-1][1] if self.rows else 0

    def _write(self, entries: tuple[StampEntry, ...]) -> None:
        self.rows += [(entry.stamps_delta, entry.stamps_balance_after) for entry in entries]

    def buy(self, quantity: int) -> None:
        entries = stamp(self.terms, stamps_balance=self.balance, quantity=quantity, occurred_at=NOON)
        purchase = len(self.rows)
        self.purchases[purchase] = entries[0].stamps_delta
        self._write(entries[:1])
        for entry in entries[1:]:
            number = len(self.rewards) + 1
            self.rewards[number] = EarlierReward(number, len(self.rows), -entry.stamps_delta, "unlocked", False)
            self.unlocked_by[number] = purchase
            self._write((entry,))

    def hand_out(self, choice: int) -> None:
        unlocked = [number for number, reward in self.rewards.items() if reward.status == "unlocked"]
        if unlocked:
            number = unlocked[choice % len(unlocked)]
            self.rewards[number] = replace(self.rewards[number], status="fulfilled")

    def take_back(self, choice: int) -> None:
        if not self.purchases:
            return
        purchase = list(self.purchases)[choice % len(self.purchases)]
        rewards = [
            replace(reward, is_own=self.unlocked_by[number] == purchase) for number, reward in self.rewards.items()
        ]
        try:
            reversal = unstamp(self.purchases[purchase], stamps_balance=self.balance, rewards=rewards)
        except errors.NotReversible:
            return
        del self.purchases[purchase]
        self._write(reversal.entries)
        for revoked in reversal.revoked:
            self.rewards[revoked.reward_id] = replace(revoked, status="revoked")

    def check(self) -> None:
        required = self.terms.stamps_required_for_reward
        assert self.balance == sum(delta for delta, _ in self.rows)
        kept = [reward for reward in self.rewards.values() if reward.status != "revoked"]
        total = sum(self.purchases.values())
        # Exactly what the purchases that stand would have given: so many rewards, so much left.
        assert (len(kept), self.balance) == divmod(total, required)


steps = st.lists(
    st.tuples(st.sampled_from(["buy", "buy", "hand_out", "take_back"]), st.integers(1, 100)), min_size=1, max_size=40
)


@given(steps, st.integers(1, 30), st.integers(1, 5))
def test_whatever_is_bought_handed_out_and_taken_back_the_books_balance(
    steps: list[tuple[str, int]], required: int, per_purchase: int
) -> None:
    card = Card(StampCardTerms("Coffee Club", True, required, per_purchase, None, None, "UTC"))
    for act, number in steps:
        getattr(card, act)(number)
        card.check()
