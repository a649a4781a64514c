"""A till's receipts beside the ledger, all in one statement however many they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import JSON, BigInteger, DateTime, Integer, Text, and_, bindparam, cast, column, exists, func, select

from loyalty_common.database import Transaction
from loyalty_common.fields import normalized_email
from loyalty_common.money import MAX_AMOUNT
from loyalty_programs.domain.acts import AHEAD
from loyalty_programs.domain.errors import WindowTooFull
from loyalty_programs.domain.people import CUSTOMERS
from loyalty_programs.domain.reconciling import RecordedEntry, SentEntry
from loyalty_programs.models import points_transactions

MAX_OTHERS = 5_000
"""How many purchases of the window may be in the ledger alone."""

_TENANT = bindparam("tenant_id", type_=BigInteger)
_CARD = bindparam("card_id", type_=BigInteger)
_sent = (
    func.json_to_recordset(cast(bindparam("sent", type_=Text), JSON))
    .table_valued(column("position", Integer), column("reference", Text), column("email", Text))
    .render_derived(name="sent", with_types=True)
)
_row = points_transactions.alias("row")
_reversal = points_transactions.alias("reversal")
_reversed_amount = (
    # Points without a purchase are reversed as a whole, whatever that is in money.
    select(func.sum(func.coalesce(_reversal.c.amount, MAX_AMOUNT)))
    .where(_reversal.c.tenant_id == _TENANT, _reversal.c.reverses_transaction_id == _row.c.id)
    .correlate(_row)
    .scalar_subquery()
)
_only_claim = (
    select(func.max(CUSTOMERS.c.customer_id))
    .where(CUSTOMERS.c.tenant_id == _TENANT, CUSTOMERS.c.email == _sent.c.email)
    .having(func.count() == 1)
    .correlate(_sent)
    .scalar_subquery()
)
_BESIDE = (
    select(
        _row.c.id,
        _row.c.customer_id,
        _row.c.amount,
        _row.c.currency,
        _reversed_amount.label("reversed_amount"),
        _only_claim.label("known_id"),
    )
    .select_from(
        _sent.outerjoin(
            _row,
            and_(
                _row.c.tenant_id == _TENANT,
                _row.c.loyalty_card_id == _CARD,
                _row.c.operation == "transactions",
                _row.c.reference == _sent.c.reference,
            ),
        )
    )
    .order_by(_sent.c.position)
)
_from, _to = bindparam("from", type_=DateTime(timezone=True)), bindparam("to", type_=DateTime(timezone=True))
_OTHERS = (
    select(_row)
    .where(
        _row.c.tenant_id == _TENANT,
        _row.c.loyalty_card_id == _CARD,
        _row.c.type == "earn",
        _row.c.occurred_at >= _from,
        _row.c.occurred_at < _to,
        # What the index is ordered by: nothing is recorded long before it happened.
        _row.c.recorded_at >= bindparam("recorded_from", type_=DateTime(timezone=True)),
        ~exists().where(_sent.c.reference == _row.c.reference).correlate(_row),
    )
    .order_by(_row.c.recorded_at, _row.c.id)
    .limit(MAX_OTHERS + 1)
)


def beside_ledger(
    tx: Transaction, *, card_id: int, entries: Sequence[SentEntry]
) -> list[tuple[RecordedEntry | None, int | None]]:
    """For each entry the ledger row that has its reference, and the one customer known to have its e-mail."""
    found = tx.execute(_BESIDE, {"card_id": card_id, "sent": _recordset(entries)})
    return [
        (
            None
            if row.id is None
            else RecordedEntry(row.id, row.customer_id, row.amount, row.currency, row.reversed_amount),
            row.known_id,
        )
        for row in found
    ]


def others(
    tx: Transaction, *, card_id: int, entries: Sequence[SentEntry], from_at: datetime, to_at: datetime
) -> Sequence[Any]:
    """Purchases of the window that no entry names; ``WindowTooFull`` beyond ``MAX_OTHERS``.

    A purchase that was recorded since the entries were looked up is none of them: it has the reference of one.
    """
    window = {"from": from_at, "to": to_at, "recorded_from": from_at - AHEAD}
    found = tx.execute(_OTHERS, {"card_id": card_id, "sent": _recordset(entries), **window}).all()
    if len(found) > MAX_OTHERS:
        raise WindowTooFull(limit=MAX_OTHERS)
    return found


def _recordset(entries: Sequence[SentEntry]) -> str:
    rows = [
        {
            "position": position,
            "reference": entry.reference,
            "email": None if entry.customer_email is None else normalized_email(entry.customer_email),
        }
        for position, entry in enumerate(entries)
    ]
    return orjson.dumps(rows).decode()
