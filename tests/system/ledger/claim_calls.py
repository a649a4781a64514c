"""Calls on the rewards of a loyalty card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.system.ledger.calls import REFERENCES, WHO, Call, request_of
from tests.system.ledger.world import Request, World


@dataclass(frozen=True)
class ClaimReward:
    who: str
    reward: int

    def request(self, world: World, people: Mapping[str, int]) -> Request:
        customer_id = people[self.who]
        reward_id = world.rewards.rewards[self.reward].reward_id
        path = f"/loyalty-cards/{world.card.card_id}/rewards/{reward_id}/claim"
        return request_of(
            self, path, lambda now: now.rewards.claim(customer_id, self.reward), body={"customer_id": customer_id}
        )


@dataclass(frozen=True)
class EndClaim:
    """By cancelling it, or by handing it over."""

    back: int
    cancels: bool = True
    reference: str | None = None

    def request(self, world: World, people: Mapping[str, int]) -> Request | None:
        claims = world.rewards.claims
        if not claims:
            return None
        number = len(claims) - 1 - self.back % len(claims)
        path = f"/loyalty-cards/{world.card.card_id}/claims/{claims[number].shown['id']}"
        if self.cancels:
            return request_of(self, f"{path}/cancel", lambda now: now.rewards.cancel(number))
        return request_of(
            self,
            f"{path}/fulfill",
            lambda now: now.rewards.fulfill(number, reference=self.reference),
            {"order_reference": self.reference},
        )


CLAIM_CALLS: list[st.SearchStrategy[Call]] = [
    st.builds(ClaimReward, WHO, st.just(0)),
    st.builds(ClaimReward, WHO, st.integers(0, 1)),
    st.builds(EndClaim, st.integers(0, 3)),
    st.builds(EndClaim, st.integers(0, 3), st.just(False), REFERENCES),
]
