"""Reads of vouchers and redemptions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Row, Select, bindparam, cast, func, literal_column, select

from loyalty_common.database import Transaction
from loyalty_vouchers.models import Redemption, RedemptionCount, Voucher

_VOUCHERS = Voucher.__table__
_REDEMPTIONS = Redemption.__table__
_COUNTS = RedemptionCount.__table__
VOUCHERS_NEWEST = (Voucher.created_at, Voucher.id)

# Of the voucher in whose select it stands.
redemptions_count = (
    select(cast(func.coalesce(func.sum(_COUNTS.c.redemptions_count), literal_column("0")), BigInteger))
    .where(_COUNTS.c.tenant_id == _VOUCHERS.c.tenant_id, _COUNTS.c.voucher_id == _VOUCHERS.c.id)
    .scalar_subquery()
)
VOUCHERS: Select[Any] = select(_VOUCHERS, redemptions_count.label("redemptions_count")).where(
    _VOUCHERS.c.tenant_id == bindparam("tenant_id")
)
_REDEMPTION = select(_REDEMPTIONS).where(
    _REDEMPTIONS.c.tenant_id == bindparam("tenant_id"), _REDEMPTIONS.c.id == bindparam("redemption_id")
)
_VOUCHER = VOUCHERS.where(_VOUCHERS.c.id == bindparam("voucher_id"))


def voucher(tx: Transaction, *, voucher_id: int) -> Row[Any] | None:
    return tx.execute(_VOUCHER, {"voucher_id": voucher_id}).one_or_none()


def redemption(tx: Transaction, *, redemption_id: int) -> Row[Any]:
    """One that is known to exist: redemptions are never deleted."""
    return tx.execute(_REDEMPTION, {"redemption_id": redemption_id}).one()
