"""Members spend points at a till."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from loyalty_common.database import Transaction
from loyalty_common.idempotency import Reply
from loyalty_programs.domain import bookkeeping, places, redemption_queries, shapes, spending
from loyalty_programs.domain.acts import Act, Receipt
from loyalty_programs.domain.bookkeeping import Occasion
from loyalty_programs.domain.errors import DuplicateReference
from loyalty_programs.domain.facts import Facts, load_with_lots, lock_and_load
from loyalty_programs.domain.ledger_rows import Columns
from loyalty_programs.domain.people import CustomerName
from loyalty_programs.domain.replies import answer_only
from loyalty_programs.models import redemption_ids, redemptions

REDEEMED, REVERSED = "redeemed", "reversed"
_LOAD = load_with_lots(redemption_ids.next_value().label("redemption_id"))
_RECORD = bookkeeping.record_with(inserts=(redemptions,))


def redeem(tx: Transaction, *, card_id: int, customer: CustomerName, points: int, receipt: Receipt, act: Act) -> Reply:
    """A redemption of ``points`` (201); for the same ``reference`` again the first one (200)."""
    facts = lock_and_load(
        tx, card_id=card_id, customer=customer, act=act, receipt=receipt, points_needed=points, statement=_LOAD
    )
    if isinstance(facts, Reply):
        return facts
    if facts.earlier_id is not None:
        return answer_only(tx, _repetition(tx, facts, points, receipt), act)
    places.check_known(facts.loaded, partner_location_id=receipt.partner_location_id)
    entry = spending.redeem(facts.card, facts.member, points, occurred_at=receipt.occurred_at, lots=facts.lots)
    redemption = _columns(facts, act)
    return bookkeeping.book(
        tx,
        facts,
        [entry],
        ids=[facts.transaction_id],
        receipt=receipt,
        act=act,
        reply=lambda rows: Reply(201, _shown(redemption, rows)),
        occasion=Occasion(
            links={"redemption_id": redemption["id"]}, record=_RECORD, inserts={redemptions: [redemption]}
        ),
    )


def _columns(facts: Facts, act: Act) -> Columns:
    return {
        "id": facts.loaded.redemption_id,
        "loyalty_card_id": facts.card_id,
        "enrollment_id": (facts.enrollment or {})["id"],
        "transaction_id": facts.transaction_id,
        "status": REDEEMED,
        "reversed_at": None,
        "created_at": act.at,
    }


def _shown(redemption: Columns, rows: Sequence[Columns]) -> dict[str, Any]:
    return shapes.redemption(redemption, rows[-1])


def _repetition(tx: Transaction, facts: Facts, points: int, receipt: Receipt) -> Reply:
    """The first redemption of this reference, if it was the same; the other fields are not compared."""
    earlier = redemption_queries.of_transaction(tx, transaction_id=facts.earlier_id or 0)
    if earlier["customer_id"] != facts.customer["id"] or earlier["points"] != points:
        raise DuplicateReference(receipt.reference or "")
    meta = {"duplicate": True} | ({"reversed": True} if earlier["status"] == REVERSED else {})
    return Reply(200, earlier, meta=meta)
