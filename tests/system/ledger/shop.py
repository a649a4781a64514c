"""A merchant of the running suite with what the machine plays on, and the model of it as it is then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.system.ledger.answers import Answer
from tests.system.ledger.card import EARNS, SPEND, LoyaltyCard
from tests.system.ledger.claims import Reward, Rewards
from tests.system.ledger.stamps import REQUIRED, StampCard
from tests.system.ledger.vouchers import Voucher
from tests.system.ledger.world import Sent, World

PEOPLE = ("alex", "sam", "kim")


class Shop:
    """``send`` is real tills, all at once."""

    def __init__(self, merchant: Any) -> None:
        self.api = merchant.api
        self.people = {name: self._made("customers", email=f"{name}@example.com")["id"] for name in PEOPLE}
        self._home = {"partner_location_id": merchant.partner_location_id}
        self._tills = ThreadPoolExecutor(5)

    def open(self, *, bonus: int, auto_enroll: bool, may_owe: bool) -> World:
        # Of the last day that is over every hour is past: what a till sends happened then, or some days before.
        today, events = datetime.now(UTC).date() - timedelta(days=1), Counter[str]()
        card_id = self._made(
            "loyalty-cards",
            **self._home,
            name="Insider Points",
            date_issued="2026-01-01",
            earn_spend_amount=str(SPEND),
            earn_points=EARNS,
            initial_bonus_points=bonus,
            auto_enroll=auto_enroll,
            points_expire_after_months=1,
            refund_floor="negative" if may_owe else "zero",
        )["id"]
        card = LoyaltyCard(card_id, today, events, bonus, auto_enroll, may_owe)
        rewards = [self._reward(card_id, 4, quantity=3), self._reward(card_id, 3, most=1)]
        stamp_card_id = self._made(
            "stamp-cards", **self._home, name="Coffee Club", stamps_required_for_reward=REQUIRED
        )["id"]
        vouchers = [self._five_off(events), self._percent(events)]
        return World(events, Rewards(card, rewards), StampCard(stamp_card_id, events), vouchers)

    def send(self, calls: Sequence[Sent], *, meanwhile: Callable[[], object] | None = None) -> list[Answer]:
        """``meanwhile``: what is done beside the calls."""

        def send(sent: Sent) -> Answer:
            request = sent.request
            return Answer.of(self.api.call(request.method, request.path, dict(request.body), key=sent.key))

        beside = self._tills.submit(meanwhile) if meanwhile else None
        answers = list(self._tills.map(send, calls))
        if beside:
            beside.result()
        return answers

    def close(self) -> None:
        self._tills.shutdown()

    def _reward(self, card_id: int, cost: int, *, quantity: int | None = None, most: int | None = None) -> Reward:
        sent = {"title": "Free pastry", "points_cost": cost, "quantity": quantity, "max_claims_per_customer": most}
        return Reward(self._made(f"loyalty-cards/{card_id}/rewards", **sent)["id"], cost, quantity, most)

    def _five_off(self, events: Counter[str]) -> Voucher:
        """Five off an order of ten or more, twice."""
        terms = {"discount_type": "fixed", "discount_value": 5, "minimum_order_amount": 10, "max_redemptions": 2}
        made = self._made("vouchers", **self._home, name="Five off", **terms)
        return Voucher(made["id"], events, Decimal(5), minimum=Decimal(10), most=2)

    def _percent(self, events: Counter[str]) -> Voucher:
        """Fifteen per cent, at most 4.00, once for each customer."""
        terms = {"discount_type": "percent", "discount_value": 15, "max_discount_amount": 4}
        made = self._made("vouchers", **self._home, name="15 %", **terms, max_redemptions_per_customer=1)
        return Voucher(made["id"], events, Decimal(4), per_cent=15, most_per_customer=1)

    def _made(self, noun: str, **sent: Any) -> Any:
        return self.api.data("POST", f"/{noun}", sent)
