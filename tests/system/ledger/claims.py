"""Rewards and their claims as a model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.system.ledger.answers import Answer, refused, repeated
from tests.system.ledger.card import LoyaltyCard
from tests.system.ledger.member import Row


@dataclass(eq=False)
class Claim:
    reward: int
    row: Row
    shown: dict[str, Any]


@dataclass(eq=False)
class Reward:
    reward_id: int
    cost: int
    quantity: int | None
    most: int | None
    """Claims that one customer may have, which are not cancelled."""


@dataclass(eq=False)
class Rewards:
    card: LoyaltyCard
    rewards: list[Reward]
    claims: list[Claim] = field(default_factory=list)

    def standing(self, number: int, customer_id: int | None = None) -> int:
        return sum(
            claim.reward == number
            and claim.shown["status"] != "cancelled"
            and customer_id in (None, claim.shown["customer_id"])
            for claim in self.claims
        )

    def claim(self, customer_id: int, number: int) -> Answer:
        reward = self.rewards[number]
        reason = self._reason_against(customer_id, number, reward)
        if reason is not None:
            return refused(reason)
        row = self.card.spend(customer_id, reward.cost)
        self.card.events["loyalty.reward_claimed"] += 1
        shown = {"customer_id": customer_id, "points_cost": reward.cost, "loyalty_reward_id": reward.reward_id}
        self.claims.append(Claim(number, row, {**shown, "status": "claimed", "order_reference": None}))
        return Answer(201, {"claim": self.claims[-1].shown, "transaction": row.shown})

    def fulfill(self, number: int, *, reference: str | None) -> Answer:
        claim = self.claims[number]
        status = claim.shown["status"]
        if status == "fulfilled" and reference is not None and reference == claim.shown["order_reference"]:
            return repeated(claim.shown)
        if status != "claimed":
            return refused(f"claim_already_{status}")
        claim.shown |= {"status": "fulfilled", "order_reference": reference, "fulfilled_at": ...}
        return Answer(200, claim.shown)

    def cancel(self, number: int) -> Answer:
        claim = self.claims[number]
        status = claim.shown["status"]
        if status != "claimed":
            return refused(f"claim_already_{status}")
        claim.shown |= {"status": "cancelled", "cancelled_at": ...}
        row = self.card.members[claim.shown["customer_id"]].restore(claim.row)
        claim.row.reversals.append(row)
        row.shown |= {"reverses_transaction_id": claim.row.shown["id"], "reward_claim_id": claim.shown["id"]}
        self.card.events["customer.updated"] += 1
        return Answer(200, {"claim": claim.shown, "transaction": row.shown})

    def _reason_against(self, customer_id: int, number: int, reward: Reward) -> str | None:
        reason = self.card.reason_against_spending(customer_id, reward.cost)
        if reason not in (None, "insufficient_points"):
            return reason
        if reward.quantity is not None and self.standing(number) >= reward.quantity:
            return "reward_out_of_stock"
        if reward.most is not None and self.standing(number, customer_id) >= reward.most:
            return "reward_limit_reached"
        return reason
