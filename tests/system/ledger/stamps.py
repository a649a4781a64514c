"""A stamp card as a model."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.system.ledger.answers import Answer, refused, repeated

REQUIRED = 5


@dataclass(eq=False)
class StampRow:
    """``unlocked``: the numbers of the rewards that an earn row unlocked; ``answer``: the rows of its request."""

    customer_id: int
    kind: str
    delta: int
    after: int
    shown: dict[str, Any]
    unlocked: list[int] = field(default_factory=list)
    answer: list[dict[str, Any]] = field(default_factory=list)
    quantity: int = 0
    is_reversed: bool = False

    @property
    def facts(self) -> tuple[Any, ...]:
        return self.kind, self.delta, self.after


@dataclass(eq=False)
class StampReward:
    customer_id: int
    row: StampRow
    shown: dict[str, Any]

    @property
    def reward_id(self) -> int:
        return int(self.row.shown["stamp_reward_id"])


@dataclass(eq=False)
class StampCard:
    stamp_card_id: int
    events: Counter[str]
    rows: dict[int, list[StampRow]] = field(default_factory=dict)
    rewards: list[StampReward] = field(default_factory=list)
    used: dict[tuple[str, str], StampRow] = field(default_factory=dict)

    def balance(self, customer_id: int) -> int:
        rows = self.rows.get(customer_id)
        return rows[-1].after if rows else 0

    def issue(self, customer_id: int, quantity: int, *, reference: str | None) -> Answer:
        earlier = self.used.get(("stamps", reference or ""))
        if earlier is not None:
            if (earlier.customer_id, earlier.quantity) != (customer_id, quantity):
                return refused("duplicate_reference")
            return repeated(earlier.answer, was_reversed=earlier.is_reversed)
        first = self._book(customer_id, "earn", quantity)
        first.quantity = quantity
        first.answer.append(first.shown)
        while self.balance(customer_id) >= REQUIRED:
            row = self._book(customer_id, "reward", -REQUIRED)
            first.unlocked.append(len(self.rewards))
            first.answer.append(row.shown)
            self.rewards.append(StampReward(customer_id, row, {"customer_id": customer_id, "status": "unlocked"}))
        self.events["stamp.issued"] += 1
        return self._answer(first, "stamps", reference)

    def reverse(self, customer_id: int, number: int, *, reference: str | None) -> Answer:
        """``number``: of the row among the customer's."""
        row = self.rows[customer_id][number]
        earlier = self.used.get(("reverse", reference or ""))
        if earlier is not None:
            same = earlier.shown["reverses_stamp_id"] == row.shown["id"]
            return repeated(earlier.answer) if same else refused("duplicate_reference")
        if row.kind != "earn" or row.is_reversed:
            return refused("not_reversible" if row.kind != "earn" else "already_reversed")
        own = set(row.unlocked)
        if any(self.rewards[one].shown["status"] == "fulfilled" for one in own):
            return refused("not_reversible")
        mine = [one for one, reward in enumerate(self.rewards) if reward.customer_id == customer_id]
        unlocked = [one for one in mine if self.rewards[one].shown["status"] == "unlocked"]
        missing = row.delta - self.balance(customer_id)
        revoked = sorted(unlocked, key=lambda one: (one not in own, -one))[: max(0, -(-missing // REQUIRED))]
        if missing > len(revoked) * REQUIRED:
            return refused("not_reversible")
        row.is_reversed = True
        first = self._book(customer_id, "reverse", -row.delta)
        first.shown["reverses_stamp_id"] = row.shown["id"]
        first.answer.append(first.shown)
        for one in revoked:
            self.rewards[one].shown["status"] = "revoked"
            back = self._book(customer_id, "reverse", REQUIRED)
            back.shown["stamp_reward_id"] = self.rewards[one].reward_id
            first.answer.append(back.shown)
        self.events["customer.updated"] += 1
        return self._answer(first, "reverse", reference)

    def fulfill(self, number: int, *, reference: str | None) -> Answer:
        reward = self.rewards[number]
        status = reward.shown["status"]
        if status == "revoked":
            return refused("reward_revoked")
        if status == "fulfilled":
            same = reference is not None and reference == reward.shown["order_reference"]
            return repeated(reward.shown) if same else refused("reward_already_fulfilled")
        reward.shown |= {
            "id": reward.reward_id,
            "status": "fulfilled",
            "order_reference": reference,
            "fulfilled_at": ...,
        }
        self.events["stamp.reward_fulfilled"] += 1
        return Answer(200, reward.shown)

    def _book(self, customer_id: int, kind: str, delta: int) -> StampRow:
        after = self.balance(customer_id) + delta
        shown = {"type": kind, "customer_id": customer_id, "stamps_delta": delta, "stamps_balance_after": after}
        row = StampRow(customer_id, kind, delta, after, shown)
        self.rows.setdefault(customer_id, []).append(row)
        return row

    def _answer(self, first: StampRow, operation: str, reference: str | None) -> Answer:
        for shown in first.answer:
            shown["purchase_reference"] = reference
        if reference is not None:
            self.used[operation, reference] = first
        return Answer(201, first.answer)
