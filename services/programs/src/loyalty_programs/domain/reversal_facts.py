"""What was reversed of a ledger row, and the lots that its reversal is about."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Any

from sqlalchemy import BigInteger, Row, bindparam, func, select, true

from loyalty_common.database import Transaction
from loyalty_programs.domain import lot_facts
from loyalty_programs.domain.lots import Lot, Spend
from loyalty_programs.domain.reversing import Bought, Original
from loyalty_programs.domain.terms import EarnRule
from loyalty_programs.models import loyalty_cards, points_transactions

_TENANT = bindparam("tenant_id", type_=BigInteger)
_ROW_ID = bindparam("transaction_id", type_=BigInteger)
_reversal = points_transactions.alias("reversal")

_REVERSED = select(
    func.count().label("reversal_count"),
    func.coalesce(func.sum(_reversal.c.amount), 0).label("amount_refunded"),
    func.max(_reversal.c.id).label("last_reversal_id"),
).where(_reversal.c.tenant_id == _TENANT, _reversal.c.reverses_transaction_id == _ROW_ID)
_so_far = _REVERSED.subquery("so_far")
_LOAD = (
    select(
        *_so_far.c,
        loyalty_cards.c.refund_floor,
        lot_facts.holding(_ROW_ID, bindparam("enrollment_id", type_=BigInteger)).label("lots"),
    )
    .select_from(loyalty_cards.join(_so_far, true()))
    .where(loyalty_cards.c.tenant_id == _TENANT, loyalty_cards.c.id == bindparam("card_id", type_=BigInteger))
)


@dataclass(frozen=True, slots=True)
class ReversalFacts:
    original: Original
    last_reversal_id: int | None
    may_owe: bool
    lots: tuple[Lot, ...]
    spends: tuple[Spend, ...]


def load(tx: Transaction, row: Row[Any]) -> ReversalFacts:
    """``row``: the ledger row to be reversed, whose enrollment is locked."""
    found = tx.execute(
        _LOAD,
        {
            "transaction_id": row.id,
            "enrollment_id": row.enrollment_id,
            "card_id": row.loyalty_card_id,
            "points_needed": max(0, row.points_delta),
        },
    ).one()
    return ReversalFacts(
        original=_original(row, found),
        last_reversal_id=found.last_reversal_id,
        may_owe=found.refund_floor == "negative",
        lots=lot_facts.lots_of(found.lots),
        spends=lot_facts.spends_of(tx, transaction_id=row.id) if row.points_delta < 0 else (),
    )


def is_reversed(tx: Transaction, row: Row[Any]) -> bool:
    """Whether nothing is left of a ledger row."""
    return _original(row, tx.execute(_REVERSED, {"transaction_id": row.id}).one()).is_reversed


def _original(row: Row[Any], found: Row[Any]) -> Original:
    return Original(
        transaction_id=row.id,
        type=row.type,
        points_delta=row.points_delta,
        redemption_id=row.redemption_id,
        bought=Bought(row.amount, row.currency, _rule_of(row)) if row.type == "earn" else None,
        reversal_count=found.reversal_count,
        amount_refunded=Decimal(found.amount_refunded),
    )


def _rule_of(row: Row[Any]) -> EarnRule:
    if row.earn_points is not None:
        return EarnRule(row.earn_spend_amount, row.earn_points, row.currency)
    # Written by a release that did not keep the rule yet: as if each point had cost the same.
    spend = (row.amount / max(1, row.points_delta)).quantize(Decimal("1e-12"), ROUND_DOWN)
    return EarnRule(spend, min(1, row.points_delta), row.currency)
