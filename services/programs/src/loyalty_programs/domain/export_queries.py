"""A tenant's whole ledger, for a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import BigInteger, Engine, Row, bindparam, func, select

from loyalty_common.database import transaction
from loyalty_programs.domain import queries
from loyalty_programs.models import points_transactions

_PIECE = 2_000
_ledger = points_transactions.c
_TENANT = bindparam("tenant_id", type_=BigInteger)
_LAST = select(func.max(_ledger.id)).where(_ledger.tenant_id == _TENANT)
_NEXT = (
    select(points_transactions)
    .where(_ledger.tenant_id == _TENANT, _ledger.id > bindparam("after"), _ledger.id <= bindparam("last"))
    .order_by(_ledger.id)
    .limit(_PIECE)
)


def transactions(engine: Engine, tenant_id: int, *, filters: Mapping[str, Any], time_zone: str) -> Iterator[Row[Any]]:
    """Rows by when they happened, both ends included, a date being a whole day; ordered by id, as the ledger is.

    Read in short transactions, so that no slow reader keeps the database from tidying up. Rows of the ledger do not
    change, so the pieces fit together; what is recorded after the first piece was asked for is not in it.
    """
    rows = _NEXT.where(
        *queries.happened_between(filters, time_zone, _ledger.occurred_at, recorded_at=_ledger.recorded_at)
    )
    if filters["loyalty_card_id"] is not None:
        rows = rows.where(_ledger.loyalty_card_id == filters["loyalty_card_id"])
    with transaction(engine, tenant_id) as tx:
        named = {"after": 0, "last": tx.execute(_LAST).scalar_one() or 0}
    while True:
        with transaction(engine, tenant_id) as tx:
            found = tx.execute(rows, named).all()
        yield from found
        if len(found) < _PIECE:
            return
        named["after"] = found[-1].id
