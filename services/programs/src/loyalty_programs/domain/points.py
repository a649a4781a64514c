"""Purchases earn points, merchants adjust them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from loyalty_common.database import Transaction
from loyalty_common.idempotency import Reply
from loyalty_programs.domain import (
    bookkeeping,
    earning,
    enrollments,
    places,
    queries,
    referral_bonuses,
    reversal_facts,
    shapes,
)
from loyalty_programs.domain.acts import Act, Receipt
from loyalty_programs.domain.bookkeeping import NO_OCCASION
from loyalty_programs.domain.earning import Adjustment, Posting, Purchase
from loyalty_programs.domain.errors import DuplicateReference
from loyalty_programs.domain.facts import Facts, lock_and_load
from loyalty_programs.domain.ledger_rows import Columns
from loyalty_programs.domain.people import CustomerName
from loyalty_programs.domain.referral_bonuses import Friend
from loyalty_programs.domain.replies import answer_only


def post(
    tx: Transaction,
    *,
    card_id: int,
    customer: CustomerName,
    command: Purchase | Adjustment,
    receipt: Receipt,
    act: Act,
) -> Reply:
    """A ledger row for a purchase or an adjustment (201); for the same ``reference`` again the first row (200)."""
    facts = lock_and_load(
        tx,
        card_id=card_id,
        customer=customer,
        act=act,
        receipt=receipt,
        points_needed=max(0, -command.points) if isinstance(command, Adjustment) else 0,
        with_referrer=_may_bring_forward(command),
    )
    if isinstance(facts, Reply):
        return facts
    if facts.earlier_id is not None:
        return answer_only(tx, repetition(tx, facts, command, receipt), act)
    places.check_known(facts.loaded, partner_location_id=receipt.partner_location_id)
    posting = earning.post(facts.card, facts.member, command, occurred_at=receipt.occurred_at, lots=facts.lots)
    return _book(tx, facts, posting, command, receipt=receipt, act=act)


def _may_bring_forward(command: Purchase | Adjustment) -> bool:
    """Whether it can complete a milestone of the referral that the customer came by: by buying, or by enrolling."""
    return isinstance(command, Purchase) or command.points > 0


def _book(
    tx: Transaction,
    facts: Facts,
    posting: Posting,
    command: Purchase | Adjustment,
    *,
    receipt: Receipt,
    act: Act,
) -> Reply:
    new, ids = None, [facts.transaction_id]
    balance = posting.entries[-1].points_balance_after
    if posting.enrolls:
        new, bonus_id = enrollments.prepare(tx, facts, points_balance=balance, act=act)
        # The bonus comes first in the ledger, so it takes the smaller id.
        ids = [facts.transaction_id, bonus_id][: len(posting.entries)]
    friend = Friend(facts, new.columns if new is not None else facts.enrollment or {}, balance)
    occasion = NO_OCCASION
    if _may_bring_forward(command):
        purchase = command if isinstance(command, Purchase) else None
        occasion = referral_bonuses.of_friend(tx, friend, purchase, occurred_at=receipt.occurred_at, act=act)
    return bookkeeping.book(
        tx,
        facts,
        posting.entries,
        ids=ids,
        receipt=receipt,
        act=act,
        reply=_created,
        new=new.after(occasion.rows) if new is not None else None,
        occasion=occasion,
    )


def _created(rows: Sequence[Columns]) -> Reply:
    return Reply(201, rows[-1])


def repetition(tx: Transaction, facts: Facts, command: Purchase | Adjustment, receipt: Receipt) -> Reply:
    """The first row of this reference; ``DuplicateReference`` unless it was the same.

    The other fields of a receipt are not compared.
    """
    operation, reference = receipt.operation or "", receipt.reference or ""
    earlier = queries.transaction_of_reference(tx, card_id=facts.card_id, operation=operation, reference=reference)
    if earlier.customer_id != facts.customer["id"] or _command_of(earlier) != command:
        raise DuplicateReference(reference)
    meta = {"duplicate": True} | ({"reversed": True} if reversal_facts.is_reversed(tx, earlier) else {})
    return Reply(200, shapes.transaction(earlier._asdict()), meta=meta)


def _command_of(row: Row[Any]) -> Purchase | Adjustment:
    if row.type == "earn":
        return Purchase(row.amount, row.currency)
    return Adjustment(row.points_delta)
