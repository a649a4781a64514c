"""Calls on a stamp card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.system.ledger.calls import REFERENCES, WHO, Call, request_of
from tests.system.ledger.world import Request, World


@dataclass(frozen=True)
class Stamp:
    who: str
    quantity: int
    reference: str | None = None

    def request(self, world: World, people: Mapping[str, int]) -> Request:
        customer_id = people[self.who]
        body = {"customer_id": customer_id, "quantity": self.quantity, "reference": self.reference}
        return request_of(
            self,
            f"/stamp-cards/{world.stamp_card.stamp_card_id}/stamps",
            lambda now: now.stamp_card.issue(customer_id, self.quantity, reference=self.reference),
            body,
        )


@dataclass(frozen=True)
class Unstamp:
    """``back``: which of the customer's rows, counted from the newest."""

    who: str
    back: int
    reference: str | None = None

    def request(self, world: World, people: Mapping[str, int]) -> Request | None:
        customer_id = people[self.who]
        rows = world.stamp_card.rows.get(customer_id)
        if not rows:
            return None
        number = len(rows) - 1 - self.back % len(rows)
        return request_of(
            self,
            f"/stamp-cards/{world.stamp_card.stamp_card_id}/stamps/{rows[number].shown['id']}/reverse",
            lambda now: now.stamp_card.reverse(customer_id, number, reference=self.reference),
            {"reference": self.reference},
        )


@dataclass(frozen=True)
class HandOut:
    back: int
    reference: str | None = None

    def request(self, world: World, people: Mapping[str, int]) -> Request | None:
        rewards = world.stamp_card.rewards
        if not rewards:
            return None
        number = len(rewards) - 1 - self.back % len(rewards)
        return request_of(
            self,
            f"/stamp-cards/{world.stamp_card.stamp_card_id}/rewards/{rewards[number].reward_id}/fulfill",
            lambda now: now.stamp_card.fulfill(number, reference=self.reference),
            {"order_reference": self.reference},
        )


STAMP_CALLS: list[st.SearchStrategy[Call]] = [
    st.builds(Stamp, WHO, st.sampled_from([1, 3, 4, 11]), REFERENCES),
    st.builds(Unstamp, WHO, st.integers(0, 6), REFERENCES),
    st.builds(HandOut, st.integers(0, 2), REFERENCES),
]
