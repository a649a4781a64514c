"""A loyalty card as a model: who is a member, what purchases earn, what may be spent."""

from __future__ import annotations

import calendar
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tests.system.ledger.answers import Answer, refused, repeated
from tests.system.ledger.member import Member, Row

SPEND = Decimal(10)
EARNS = 3
"""Points for every whole ``SPEND``."""


@dataclass(frozen=True)
class Posting:
    """A purchase of ``amount``, or an adjustment by ``points``."""

    amount: Decimal | None = None
    points: int | None = None

    @property
    def adds(self) -> bool:
        return self.amount is not None or (self.points or 0) > 0


@dataclass(eq=False)
class Redemption:
    row: Row
    shown: dict[str, Any]


@dataclass(eq=False)
class LoyaltyCard:
    """``today`` is any day near the real one: lots end weeks before it or weeks after it."""

    card_id: int
    today: date
    events: Counter[str]
    bonus: int
    auto_enroll: bool
    may_owe: bool
    members: dict[int, Member] = field(default_factory=dict)
    redemptions: list[Redemption] = field(default_factory=list)
    used: dict[tuple[str, str], Any] = field(default_factory=dict)
    """What stands for a reference of an operation: a row, or a redemption."""

    def enroll(self, customer_id: int) -> Answer:
        member = self.members.get(customer_id)
        if member is not None:
            if member.status != "active":
                return refused("enrollment_suspended")
            shown = {"customer_id": customer_id, "points_balance": member.balance, "status": "active"}
            return Answer(200, {"enrollment": shown, "initial_bonus_transactions": []})
        member = self._join(customer_id, self.today)
        for row in member.rows:
            row.shown["expires_on"] = ...  # By the service's own clock.
        member.shown |= {"customer_id": customer_id, "points_balance": member.balance, "status": "active"}
        rows = [row.shown for row in member.rows]
        return Answer(201, {"enrollment": member.shown, "initial_bonus_transactions": rows})

    def post(self, customer_id: int, posting: Posting, *, reference: str | None, on: date) -> Answer:
        earlier = self.used.get(("transactions", reference or ""))
        if earlier is not None:
            return _repetition(earlier, customer_id, posting)
        reason = self.reason_against(customer_id, posting)
        if reason is not None:
            return refused(reason)
        row = self._post(self.members.get(customer_id) or self._join(customer_id, on), posting, on)
        row.shown["purchase_reference"] = reference
        if reference is not None:
            self.used["transactions", reference] = row
        return Answer(201, row.shown)

    def preview(self, customer_id: int, posting: Posting, *, reference: str | None, on: date) -> Answer:
        before = self.balance(customer_id)
        shown = {"points_balance_before": before, "points_balance_after": before, "points_delta": 0}
        earlier = self.used.get(("transactions", reference or ""))
        if earlier is not None:
            reason = _repetition(earlier, customer_id, posting).reason
        else:
            reason = self.reason_against(customer_id, posting)
            if reason is None:
                bonus = 0 if customer_id in self.members else self.bonus
                delta = _delta(posting)
                shown |= {"points_delta": delta, "points_balance_after": before + bonus + delta}
        return Answer(200, {**shown, "allowed": reason is None, "reason": reason})

    def redeem(self, customer_id: int, points: int, *, reference: str | None) -> Answer:
        earlier = self.used.get(("redemptions", reference or ""))
        if earlier is not None:
            if (earlier.shown["customer_id"], earlier.shown["points"]) != (customer_id, points):
                return refused("duplicate_reference")
            return repeated(earlier.shown, was_reversed=earlier.shown["status"] == "reversed")
        reason = self.reason_against_spending(customer_id, points)
        if reason is not None:
            return refused(reason)
        row = self.spend(customer_id, points)
        shown = {"customer_id": customer_id, "points": points, "status": "redeemed", "reference": reference}
        self.redemptions.append(Redemption(row, {**shown, "transaction": row.shown}))
        if reference is not None:
            self.used["redemptions", reference] = self.redemptions[-1]
        return Answer(201, self.redemptions[-1].shown)

    def set_status(self, customer_id: int, status: str) -> Answer:
        member = self.members[customer_id]
        if member.status != status:
            self.events["customer.updated"] += 1
        member.status = status
        return Answer(200, {"customer_id": customer_id, "status": status, "points_balance": member.balance})

    def balance(self, customer_id: int) -> int:
        return self.members[customer_id].balance if customer_id in self.members else 0

    def reason_against_spending(self, customer_id: int, points: int) -> str | None:
        member = self.members.get(customer_id)
        if member is None or member.status != "active":
            return "customer_not_enrolled" if member is None else "enrollment_suspended"
        there = sum(lot.remaining for lot in member.alive(self.today))
        return "insufficient_points" if there < points else None

    def spend(self, customer_id: int, points: int) -> Row:
        member = self.members[customer_id]
        self.events["loyalty.points_redeemed"] += 1
        return member.lose("redeem", points, member.alive(self.today))

    def reason_against(self, customer_id: int, posting: Posting) -> str | None:
        if not posting.adds:
            return self.reason_against_spending(customer_id, -(posting.points or 0))
        member = self.members.get(customer_id)
        if member is None:
            return None if self.auto_enroll else "customer_not_enrolled"
        return None if member.status == "active" else "enrollment_suspended"

    def expire(self, customer_id: int) -> None:
        member = self.members[customer_id]
        overdue = member.overdue(self.today)
        if overdue:
            member.lose("expire", sum(lot.remaining for lot in overdue), overdue)
            self.events["customer.updated"] += 1

    def age(self, customer_id: int, by: timedelta) -> None:
        for row in self.members[customer_id].rows:
            if row.expires_on is not None:
                row.shown["expires_on"] = (row.expires_on - by).isoformat()

    def _join(self, customer_id: int, on: date) -> Member:
        member = self.members[customer_id] = Member(customer_id)
        self.events["loyalty.enrolled"] += 1
        if self.bonus:
            member.gain("bonus", self.bonus, expires_on=a_month_after(on))
            self.events["loyalty.points_earned"] += 1
        return member

    def _post(self, member: Member, posting: Posting, on: date) -> Row:
        delta = _delta(posting)
        if not posting.adds:
            self.events["customer.updated"] += 1
            return member.lose("adjust", -delta, member.alive(self.today))
        self.events["loyalty.points_earned"] += delta > 0
        kind = "adjust" if posting.amount is None else "earn"
        return member.gain(kind, delta, expires_on=a_month_after(on), amount=posting.amount)


def a_month_after(day: date) -> date:
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _delta(posting: Posting) -> int:
    return int((posting.amount or 0) // SPEND) * EARNS if posting.points is None else posting.points


def _repetition(earlier: Row, customer_id: int, posting: Posting) -> Answer:
    first = Posting(amount=earlier.amount) if earlier.kind == "earn" else Posting(points=earlier.delta)
    if (earlier.shown["customer_id"], first) != (customer_id, posting):
        return refused("duplicate_reference")
    return repeated(earlier.shown, was_reversed=earlier.is_reversed)
