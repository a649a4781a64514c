"""All customers of a tenant, for a file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, bindparam, select, tuple_
from sqlalchemy.types import BigInteger, DateTime

from loyalty_common.database import transaction
from loyalty_customers.models import Customer

_PIECE = 2_000
_MOMENT = DateTime(timezone=True)
_NEXT = (
    select(Customer.id, Customer.name, Customer.email, Customer.phone, Customer.created_at)
    .where(
        Customer.tenant_id == bindparam("tenant_id"),
        Customer.erased_at.is_(None),
        tuple_(Customer.created_at, Customer.id)
        > tuple_(bindparam("after_at", type_=_MOMENT), bindparam("after_id", type_=BigInteger)),
        Customer.created_at < bindparam("end", type_=_MOMENT),
    )
    .order_by(Customer.created_at, Customer.id)
    .limit(_PIECE)
)


def customers(engine: Engine, tenant_id: int, *, start: datetime, end: datetime) -> Iterator[Row[Any]]:
    """Who was created from ``start`` until before ``end``, oldest first, in the order that lists page by.

    Read in short transactions, so that no slow reader keeps the database from tidying up: a row is as it was when its
    piece was read.
    """
    after_at, after_id = start, 0
    while True:
        with transaction(engine, tenant_id) as tx:
            rows = tx.execute(_NEXT, {"after_at": after_at, "after_id": after_id, "end": end}).all()
        yield from rows
        if len(rows) < _PIECE:
            return
        after_at, after_id = rows[-1].created_at, rows[-1].id
