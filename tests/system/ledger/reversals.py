"""Reversals as a model: refunds in parts that never gain by rounding, and the whole of everything else."""

from __future__ import annotations

from decimal import Decimal

from tests.system.ledger.answers import Answer, refused, repeated
from tests.system.ledger.card import EARNS, SPEND, LoyaltyCard
from tests.system.ledger.member import Member, Row


def reverse(
    card: LoyaltyCard, customer_id: int, number: int, *, amount: Decimal | None, reference: str | None
) -> Answer:
    """``number``: of the row among the customer's."""
    member = card.members[customer_id]
    row = member.rows[number]
    earlier = card.used.get(("reverse", reference or ""))
    if earlier is not None:
        return repeated(earlier.shown) if _is_same(earlier, row, amount) else refused("duplicate_reference")
    reason, done = _decide(card, member, row, amount)
    if done is None:
        return refused(reason)
    done.reverses = row
    row.reversals.append(done)
    card.events["customer.updated"] += done.delta != 0
    done.shown |= {"purchase_reference": reference, "reverses_transaction_id": row.shown["id"]}
    if reference is not None:
        card.used["reverse", reference] = done
    for redemption in card.redemptions:
        if redemption.row is row:
            redemption.shown |= {"status": "reversed", "reversed_at": ...}
    return Answer(201, done.shown)


def _is_same(earlier: Row, row: Row, amount: Decimal | None) -> bool:
    if amount is None:
        return row.is_reversed and row.reversals[-1] is earlier
    return earlier.reverses is row and earlier.amount == amount


def _decide(card: LoyaltyCard, member: Member, row: Row, amount: Decimal | None) -> tuple[str | None, Row | None]:
    if row.kind in ("expire", "reverse") or (
        row.kind == "redeem" and not any(redemption.row is row for redemption in card.redemptions)
    ):
        return "not_reversible", None
    if row.kind != "earn" and amount is not None:
        return None, None
    if row.is_reversed:
        return "already_reversed", None
    if row.delta < 0:
        return None, member.restore(row)
    due = row.delta
    if row.kind == "earn":
        left = (row.amount or Decimal(0)) - row.refunded
        amount = left if amount is None else amount
        if amount > left:
            return "refund_exceeds_purchase", None
        due = (int(left // SPEND) - int((left - amount) // SPEND)) * EARNS
    owed = due if card.may_owe else min(due, max(0, member.balance))
    return None, member.lose("reverse", owed, member.lots, first=row, amount=amount)
