"""Merchants take transactions back: refunds, corrections, redemptions that were none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Row

from loyalty_common.database import Transaction
from loyalty_common.errors import NotFound
from loyalty_common.idempotency import Reply
from loyalty_programs.domain import bookkeeping, queries, reversal_facts, reversing, shapes
from loyalty_programs.domain.acts import Act, Receipt
from loyalty_programs.domain.bookkeeping import Occasion
from loyalty_programs.domain.errors import DuplicateReference
from loyalty_programs.domain.facts import Facts, lock_and_load
from loyalty_programs.domain.ledger_rows import Columns
from loyalty_programs.domain.people import CustomerName
from loyalty_programs.domain.redemptions import REVERSED
from loyalty_programs.domain.replies import answer_only
from loyalty_programs.domain.reversal_facts import ReversalFacts
from loyalty_programs.models import redemptions

_RECORD_OF_REDEMPTION = bookkeeping.record_with(changes={redemptions: ("status", "reversed_at")})


@dataclass(frozen=True, slots=True)
class ReversalOrder:
    """``amount``: how much of a purchase is refunded; None for all that is left, and for what is no purchase."""

    amount: Decimal | None
    reference: str | None
    notes: str | None


def reverse(tx: Transaction, *, card_id: int, transaction_id: int, order: ReversalOrder, act: Act) -> Reply:
    """A ``reverse`` row (201); for the same ``reference`` again the first one (200). ``NotFound`` for the transaction.

    Nothing of the card or the enrollment stands against it: a refund is owed by a card that has ended, too.
    """
    row = queries.transaction(tx, card_id=card_id, transaction_id=transaction_id)
    if row is None:
        raise NotFound
    receipt = Receipt(occurred_at=act.at, operation="reverse", reference=order.reference, notes=order.notes)
    facts = lock_and_load(
        tx,
        card_id=card_id,
        customer=CustomerName(customer_id=row.customer_id),
        act=act,
        receipt=receipt,
        erased_too=True,
    )
    if isinstance(facts, Reply):
        return facts
    found = reversal_facts.load(tx, row)
    if facts.earlier_id is not None:
        return answer_only(tx, _repetition(tx, facts, found, order), act)
    entry = reversing.reverse(
        found.original,
        amount=order.amount,
        points_balance=facts.member.points_balance if facts.member else 0,
        may_owe=found.may_owe,
        lots=found.lots,
        spends=found.spends,
    )
    return bookkeeping.book(
        tx,
        facts,
        [entry],
        ids=[facts.transaction_id],
        receipt=receipt,
        act=act,
        reply=_created,
        occasion=_occasion(row, act),
    )


def _created(rows: Sequence[Columns]) -> Reply:
    return Reply(201, rows[-1])


def _occasion(row: Row[Any], act: Act) -> Occasion:
    links = {
        "reverses_transaction_id": row.id,
        "redemption_id": row.redemption_id,
        "referral_id": row.referral_id,
    }
    if row.redemption_id is None:
        return Occasion(links=links)
    undone = {"id": row.redemption_id, "status": REVERSED, "reversed_at": act.at}
    return Occasion(links=links, record=_RECORD_OF_REDEMPTION, changes={redemptions: [undone]})


def _repetition(tx: Transaction, facts: Facts, found: ReversalFacts, order: ReversalOrder) -> Reply:
    """The first reversal of this reference, if it was the same; without an amount, one that left nothing."""
    reference = order.reference or ""
    earlier = queries.transaction_of_reference(tx, card_id=facts.card_id, operation="reverse", reference=reference)
    if order.amount is None:
        same = found.original.is_reversed and earlier.id == found.last_reversal_id
    else:
        same = earlier.reverses_transaction_id == found.original.transaction_id and earlier.amount == order.amount
    if not same:
        raise DuplicateReference(reference)
    return Reply(200, shapes.transaction(earlier._asdict()), meta={"duplicate": True})
