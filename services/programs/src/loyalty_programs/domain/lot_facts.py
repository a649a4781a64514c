"""What giving points back is decided from: loaded under the lock of the enrollment."""

from __future__ import annotations

from sqlalchemy import and_, bindparam, select
from sqlalchemy.types import BigInteger

from loyalty_common.database import Transaction
from loyalty_programs.domain.lots import Lot, Spend
from loyalty_programs.models import lot_spends, points_transactions

_TENANT = bindparam("tenant_id", type_=BigInteger)
_lot = points_transactions.alias("lot")

_SPENDS = (
    select(_lot.c.id, _lot.c.points_remaining, _lot.c.expires_on, lot_spends.c.points)
    .select_from(lot_spends)
    .join(_lot, and_(_lot.c.tenant_id == _TENANT, _lot.c.id == lot_spends.c.lot_transaction_id))
    .where(lot_spends.c.tenant_id == _TENANT, lot_spends.c.transaction_id == bindparam("transaction_id"))
)


def spends_of(tx: Transaction, *, transaction_id: int) -> tuple[Spend, ...]:
    """What a negative row took from which lots, and those lots as they are now."""
    rows = tx.execute(_SPENDS, {"transaction_id": transaction_id})
    return tuple(Spend(Lot(row.id, row.points_remaining, row.expires_on), row.points) for row in rows)
