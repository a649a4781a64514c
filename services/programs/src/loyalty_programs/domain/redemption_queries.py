"""Reads of redemptions, each with the ledger row that holds its points and its receipt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, Row, Select, and_, bindparam, select

from loyalty_common.database import Transaction
from loyalty_programs.domain import queries, shapes
from loyalty_programs.domain.acts import BACK
from loyalty_programs.models import enrollments, points_transactions, redemptions

_TENANT = bindparam("tenant_id", type_=BigInteger)
_ledger = points_transactions.c

NEWEST = (redemptions.c.created_at, redemptions.c.id)

_ROWS = (
    select(
        points_transactions,
        redemptions.c.status.label("redemption_status"),
        redemptions.c.reversed_at.label("redemption_reversed_at"),
        redemptions.c.created_at.label("redemption_created_at"),
    )
    .select_from(redemptions)
    .join(points_transactions, and_(_ledger.tenant_id == _TENANT, _ledger.id == redemptions.c.transaction_id))
    .where(redemptions.c.tenant_id == _TENANT)
)
_OF_TRANSACTION = _ROWS.where(_ledger.id == bindparam("transaction_id"))
_MINE = select(enrollments.c.id).where(
    enrollments.c.tenant_id == _TENANT, enrollments.c.customer_id == bindparam("customer_id")
)
_OF_CUSTOMER = _ROWS.where(redemptions.c.enrollment_id.in_(_MINE)).order_by(redemptions.c.id)


def of_transaction(tx: Transaction, *, transaction_id: int) -> dict[str, Any]:
    """The redemption that made this ledger row, as it is shown."""
    return show(tx.execute(_OF_TRANSACTION, {"transaction_id": transaction_id}).one())


def redemptions_of_card(*, card_id: int, filters: Mapping[str, Any], time_zone: str) -> Select[Any]:
    """``from`` and ``to`` are about when it happened; a date without a time is the whole local day, at both ends."""
    # Of both: the index of references begins with the card.
    rows = _ROWS.where(redemptions.c.loyalty_card_id == card_id, _ledger.loyalty_card_id == card_id)
    if filters["customer_id"] is not None or filters["customer_email"] is not None:
        rows = rows.where(redemptions.c.enrollment_id == queries.enrollment_of(card_id, filters))
    if filters["reference"] is not None:
        rows = rows.where(*queries.has_reference(filters["reference"], "redemptions"))
    if filters["status"] is not None:
        rows = rows.where(redemptions.c.status == queries.inlined(filters["status"]))
    happened = queries.happened_between(
        filters, time_zone, _ledger.occurred_at, recorded_at=redemptions.c.created_at, late=BACK
    )
    return rows.where(*happened)


def show(row: Row[Any]) -> dict[str, Any]:
    columns = row._asdict()
    own = {
        "id": columns["redemption_id"],
        "loyalty_card_id": columns["loyalty_card_id"],
        "status": columns["redemption_status"],
        "reversed_at": columns["redemption_reversed_at"],
        "created_at": columns["redemption_created_at"],
    }
    return shapes.redemption(own, shapes.transaction(columns))


def of_customer(tx: Transaction, *, customer_id: int) -> list[dict[str, Any]]:
    """All of them, oldest first."""
    return [show(row) for row in tx.execute(_OF_CUSTOMER, {"customer_id": customer_id})]
