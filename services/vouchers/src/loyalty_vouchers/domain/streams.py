"""Long reads in pieces: each is a short transaction of its own, so that no download holds a snapshot for its length."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Row, Select, bindparam, select, tuple_

from loyalty_common.database import Transaction
from loyalty_vouchers.domain import queries
from loyalty_vouchers.domain.dates import Period
from loyalty_vouchers.models import Redemption, Voucher

Read = Callable[[], AbstractContextManager[Transaction]]

_REDEMPTIONS = Redemption.__table__
_VOUCHERS = Voucher.__table__
_PIECE = 1000


def vouchers_of_batch(read: Read, *, voucher_batch_id: int) -> Iterator[Row[Any]]:
    """With their ``redemptions_count``, in the order of their ids."""
    rows = queries.ALL_VOUCHERS.where(_VOUCHERS.c.voucher_batch_id == voucher_batch_id)
    return _pieces(read, rows, by=(_VOUCHERS.c.created_at, _VOUCHERS.c.id))


def redemptions(read: Read, *, period: Period) -> Iterator[Row[Any]]:
    """All of the tenant's, by the time at which they happened."""
    rows = select(_REDEMPTIONS).where(
        _REDEMPTIONS.c.tenant_id == bindparam("tenant_id"), *period.holds(_REDEMPTIONS.c.redeemed_at)
    )
    return _pieces(read, rows, by=(_REDEMPTIONS.c.redeemed_at, _REDEMPTIONS.c.id))


def _pieces(read: Read, rows: Select[Any], *, by: tuple[Any, Any]) -> Iterator[Row[Any]]:
    ordered = rows.order_by(*by).limit(_PIECE)
    piece = ordered
    while True:
        with read() as tx:
            found = tx.execute(piece).all()
        yield from found
        if len(found) < _PIECE:
            return
        last = found[-1]._mapping
        piece = ordered.where(tuple_(*by) > tuple_(*(last[column] for column in by)))
