"""Calls on a loyalty card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from hypothesis import strategies as st

from tests.system.ledger import reversals
from tests.system.ledger.calls import AMOUNTS, REFERENCES, WHO, Call, request_of
from tests.system.ledger.card import Posting
from tests.system.ledger.world import Request, World


@dataclass(frozen=True)
class Enroll:
    who: str

    def request(self, world: World, people: Mapping[str, int]) -> Request:
        customer_id = people[self.who]
        path = f"/loyalty-cards/{world.card.card_id}/enrollments"
        return request_of(self, path, lambda now: now.card.enroll(customer_id), body={"customer_id": customer_id})


@dataclass(frozen=True)
class Post:
    """A purchase or an adjustment, or its preview."""

    who: str
    amount: Decimal | None = None
    points: int | None = None
    reference: str | None = None
    days_ago: int = 0
    is_preview: bool = False

    def request(self, world: World, people: Mapping[str, int]) -> Request:
        customer_id = people[self.who]
        named: dict[str, Any] = {"reference": self.reference, "on": world.card.today - timedelta(days=self.days_ago)}
        posting = Posting(self.amount, self.points)
        # At this hour it is the same day in New York.
        occurred_at = datetime.combine(named["on"], time(12), UTC)
        body = {
            "customer_id": customer_id,
            "amount": self.amount and str(self.amount),
            "currency": "USD" if self.amount else None,
            "points": self.points,
            "reference": self.reference,
            "occurred_at": occurred_at.isoformat(),
        }
        path = f"/loyalty-cards/{world.card.card_id}/transactions"
        if self.is_preview:
            path += "/preview"
            return request_of(
                self, path, lambda now: now.card.preview(customer_id, posting, **named), body=body, is_stored=False
            )
        return request_of(self, path, lambda now: now.card.post(customer_id, posting, **named), body=body)


@dataclass(frozen=True)
class Redeem:
    who: str
    points: int
    reference: str | None = None

    def request(self, world: World, people: Mapping[str, int]) -> Request:
        customer_id = people[self.who]
        body = {"customer_id": customer_id, "points": self.points, "reference": self.reference}
        path = f"/loyalty-cards/{world.card.card_id}/redemptions"
        return request_of(
            self, path, lambda now: now.card.redeem(customer_id, self.points, reference=self.reference), body=body
        )


@dataclass(frozen=True)
class Reverse:
    """``back``: which of the customer's rows, counted from the newest."""

    who: str
    back: int
    amount: Decimal | None = None
    reference: str | None = None

    def request(self, world: World, people: Mapping[str, int]) -> Request | None:
        member = world.card.members.get(people[self.who])
        if member is None or not member.rows:
            return None
        row = member.rows[-1 - self.back % len(member.rows)]
        customer_id, number = member.customer_id, row.number
        body = {"amount": self.amount and str(self.amount), "reference": self.reference}
        path = f"/loyalty-cards/{world.card.card_id}/transactions/{row.shown['id']}/reverse"
        effect = partial(reversals.reverse, amount=self.amount, reference=self.reference)
        return request_of(self, path, lambda now: effect(now.card, customer_id, number), body)


@dataclass(frozen=True)
class Suspend:
    who: str
    status: str

    def request(self, world: World, people: Mapping[str, int]) -> Request | None:
        member = world.card.members.get(people[self.who])
        if member is None:
            return None
        path = f"/loyalty-cards/{world.card.card_id}/enrollments/{member.shown['id']}"
        return request_of(
            self,
            path,
            lambda now: now.card.set_status(people[self.who], self.status),
            body={"status": self.status},
            method="PATCH",
            is_stored=False,
        )


# Often what expires first comes last.
DAYS_AGO = st.integers(0, 9)
POINTS_CALLS: list[st.SearchStrategy[Call]] = [
    st.builds(Enroll, WHO),
    st.builds(Post, WHO, amount=AMOUNTS, reference=REFERENCES, days_ago=DAYS_AGO),
    st.builds(
        Post,
        WHO,
        points=st.sampled_from([-20, -15, -7, -1, 7, 20, 40]),
        reference=REFERENCES,
        days_ago=DAYS_AGO,
    ),
    st.builds(Post, WHO, points=st.sampled_from([-7, 7]), reference=REFERENCES, is_preview=st.just(True)),
    st.builds(Post, WHO, amount=AMOUNTS, reference=REFERENCES, is_preview=st.just(True)),
    st.builds(Redeem, WHO, st.sampled_from([1, 5, 12, 25]), REFERENCES),
    st.builds(Reverse, WHO, st.integers(0, 7), st.sampled_from([None, None, Decimal("5.00")]), REFERENCES),
    st.builds(Reverse, WHO, st.integers(0, 3), st.sampled_from([None, Decimal("9.99")]), REFERENCES),
    st.builds(Suspend, WHO, st.sampled_from(["suspended", "active", "active", "active"])),
]
