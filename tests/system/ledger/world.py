"""All that the machine can change, as a model; and which orders of calls explain what was answered."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from tests.system.ledger.answers import Answer, refused
from tests.system.ledger.books import Books
from tests.system.ledger.card import LoyaltyCard
from tests.system.ledger.claims import Rewards
from tests.system.ledger.stamps import StampCard
from tests.system.ledger.vouchers import Voucher


@dataclass(frozen=True)
class Request:
    """``effect``: what it does to the world. ``is_stored``: whether its answer stands for its key."""

    title: str = field(compare=False)
    path: str
    body: Mapping[str, Any]
    effect: Callable[[World], Answer] = field(compare=False)
    method: str = "POST"
    is_stored: bool = True

    @property
    def service(self) -> str:
        return "vouchers" if self.path.startswith("/vouchers") else "programs"

    def __deepcopy__(self, _: Any) -> Request:
        return self


@dataclass(frozen=True)
class Sent:
    request: Request
    key: str | None

    def __str__(self) -> str:
        return f"{self.request.title}{f' [{self.key}]' if self.key else ''}"


@dataclass(eq=False)
class World:
    events: Counter[str]
    rewards: Rewards
    stamp_card: StampCard
    vouchers: list[Voucher]
    replies: dict[tuple[str, str], tuple[Request, int, str]] = field(default_factory=dict)
    """By service and key: the request, and the status and data (JSON) of its answer."""

    @property
    def card(self) -> LoyaltyCard:
        return self.rewards.card

    def expected(self, sent: Sent) -> Answer:
        """What the call is answered if it comes now; the world goes on as if it had."""
        request, named = sent.request, (sent.request.service, sent.key or "")
        if named in self.replies:
            first, status, data = self.replies[named]
            if first != request:
                return refused("idempotency_key_reused")
            return Answer(status, json.loads(data), flags=frozenset(["replayed"]))
        return request.effect(self)

    def play(self, sent: Sent, said: Answer) -> bool:
        """Whether the call can have come now, going by its answer."""
        expected = self.expected(sent)
        if not expected.fits(said):
            return False
        if "replayed" not in said.flags and said.status != 400:
            expected.learn(said)
            if sent.key is not None and sent.request.is_stored:
                self.replies[sent.request.service, sent.key] = sent.request, said.status, json.dumps(said.data)
        return True

    def orders(self, said: Sequence[tuple[Sent, Answer]]) -> Iterator[World]:
        """The world after each order of the calls, one after the other, in which they are answered like this.

        Points that are overdue may be written off at any moment: the suite runs its job when it likes.
        """
        if not said:
            yield self
        for position, call in enumerate(said):
            after = deepcopy(self)
            if after.play(*call):
                yield from after.orders([*said[:position], *said[position + 1 :]])
        for customer_id in self.overdue:
            after = deepcopy(self)
            after.card.expire(customer_id)
            yield from after.orders(said)

    def first_answer(self, call: Sent) -> Answer:
        """What the call is answered if nothing else comes before it."""
        return deepcopy(self).expected(call)

    def learn(self, books: Books) -> None:
        """The ids of what no answer showed."""
        for row in books.rows["members"]:
            self.card.members[row.customer_id].shown["id"] = row.id
        for customer_id, rows in books.of_each("ledger"):
            for row, stored in zip(self.card.members[customer_id].rows, rows, strict=True):
                row.shown["id"] = stored.id

    @property
    def overdue(self) -> list[int]:
        card = self.card
        return [customer_id for customer_id, member in card.members.items() if member.overdue(card.today)]

    @property
    def facts(self) -> dict[str, Any]:
        """As ``Books`` reads them."""
        card, stamps = self.card, self.stamp_card
        members = card.members.items()
        return {
            "members": {one: (member.balance, member.status) for one, member in members},
            "ledger": {one: [row.facts for row in member.rows] for one, member in members if member.rows},
            "redemptions": {one.shown["id"]: one.shown["status"] for one in card.redemptions},
            "claims": {one.shown["id"]: one.shown["status"] for one in self.rewards.claims},
            "stock": {one.reward_id: self.rewards.standing(number) for number, one in enumerate(self.rewards.rewards)},
            "stamps": {one: [row.facts for row in rows] for one, rows in stamps.rows.items()},
            "stamp_balances": {one: stamps.balance(one) for one in stamps.rows},
            "stamp_rewards": {one.reward_id: one.shown["status"] for one in stamps.rewards},
            "vouchers": {one["id"]: one["status"] for voucher in self.vouchers for one in voucher.redemptions},
            "events": dict(+self.events),
        }
