"""A member's points as a plain list of rows: what each left, and from which of them points were taken."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any


@dataclass(eq=False)
class Row:
    """``shown``: what the API shows of it, as far as it is known."""

    number: int
    kind: str
    delta: int
    after: int
    remaining: int = 0
    takings: list[tuple[Row, int]] = field(default_factory=list)
    amount: Decimal | None = None
    reverses: Row | None = None
    reversals: list[Row] = field(default_factory=list)
    shown: dict[str, Any] = field(default_factory=dict)

    @property
    def expires_on(self) -> date | None:
        shown = self.shown["expires_on"]
        return date.fromisoformat(shown) if isinstance(shown, str) else None

    @property
    def refunded(self) -> Decimal:
        return sum((row.amount or Decimal(0) for row in self.reversals), Decimal(0))

    @property
    def is_reversed(self) -> bool:
        if self.kind == "earn":
            return self.refunded >= (self.amount or 0)
        return bool(self.reversals)

    @property
    def first_to_go(self) -> tuple[date, int]:
        return self.expires_on or date.max, self.number

    @property
    def facts(self) -> tuple[Any, ...]:
        """As ``Books`` reads it."""
        return self.kind, self.delta, self.after, self.remaining, self.expires_on


@dataclass(eq=False)
class Member:
    customer_id: int
    status: str = "active"
    rows: list[Row] = field(default_factory=list)
    shown: dict[str, Any] = field(default_factory=dict)

    @property
    def balance(self) -> int:
        return self.rows[-1].after if self.rows else 0

    @property
    def lots(self) -> list[Row]:
        return [row for row in self.rows if row.remaining]

    def alive(self, today: date) -> list[Row]:
        return [row for row in self.lots if row.expires_on is None or row.expires_on >= today]

    def overdue(self, today: date) -> list[Row]:
        return [row for row in self.lots if row.expires_on is not None and row.expires_on < today]

    def gain(self, kind: str, points: int, *, expires_on: date | None, amount: Decimal | None = None) -> Row:
        """A debt is paid first."""
        after = self.balance + points
        row = Row(len(self.rows), kind, points, after, max(0, min(points, after)), amount=amount)
        return self._book(row, expires_on=expires_on if points else None)

    def lose(
        self, kind: str, points: int, lots: list[Row], *, first: Row | None = None, amount: Decimal | None = None
    ) -> Row:
        """From the lots that expire first, from that of ``first`` before them; what they do not hold is a debt."""
        row = Row(len(self.rows), kind, -points, self.balance - points, amount=amount)
        for lot in sorted(lots, key=lambda lot: (lot is not first, lot.first_to_go)):
            taken = min(points, lot.remaining)
            if taken:
                lot.remaining -= taken
                points -= taken
                row.takings.append((lot, taken))
        return self._book(row)

    def restore(self, spent: Row) -> Row:
        """Back to the lots that it was taken from; where a debt swallows some, those that live longest come first."""
        points = -spent.delta
        row = Row(len(self.rows), "reverse", points, self.balance + points)
        left = max(0, min(points, row.after))
        for lot, taken in sorted(spent.takings, key=lambda taking: taking[0].first_to_go, reverse=True):
            given = min(left, taken)
            lot.remaining += given
            left -= given
        return self._book(row)

    def _book(self, row: Row, *, expires_on: date | None = None) -> Row:
        self.rows.append(row)
        row.shown |= {
            "type": row.kind,
            "customer_id": self.customer_id,
            "points_delta": row.delta,
            "points_balance_after": row.after,
            "expires_on": expires_on and expires_on.isoformat(),
            "amount": row.amount and f"{row.amount:.2f}",
        }
        return row
