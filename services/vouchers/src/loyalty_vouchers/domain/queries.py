"""Reads of vouchers, redemptions and batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    cast,
    func,
    literal_column,
    or_,
    select,
)

from loyalty_common.database import Transaction
from loyalty_common.fields import normalized_email
from loyalty_vouchers.domain.dates import AHEAD, BACK, Period
from loyalty_vouchers.models import Redemption, RedemptionCount, Voucher, VoucherBatch, directory

_VOUCHERS = Voucher.__table__
_REDEMPTIONS = Redemption.__table__
_COUNTS = RedemptionCount.__table__
_BATCHES = VoucherBatch.__table__
_CUSTOMERS = directory.customers
VOUCHERS_NEWEST = (Voucher.created_at, Voucher.id)
REDEMPTIONS_NEWEST = (Redemption.created_at, Redemption.id)
BATCHES_NEWEST = (VoucherBatch.created_at, VoucherBatch.id)

# Of the voucher in whose select it stands.
redemptions_count = (
    select(cast(func.coalesce(func.sum(_COUNTS.c.redemptions_count), literal_column("0")), BigInteger))
    .where(_COUNTS.c.tenant_id == _VOUCHERS.c.tenant_id, _COUNTS.c.voucher_id == _VOUCHERS.c.id)
    .scalar_subquery()
)
ALL_VOUCHERS: Select[Any] = select(_VOUCHERS, redemptions_count.label("redemptions_count")).where(
    _VOUCHERS.c.tenant_id == bindparam("tenant_id")
)
_ANY_VOUCHER = select(select(_VOUCHERS.c.id).where(_VOUCHERS.c.tenant_id == bindparam("tenant_id")).exists())
_VOUCHER = ALL_VOUCHERS.where(_VOUCHERS.c.id == bindparam("voucher_id"))
_REDEMPTIONS_OF_TENANT = select(_REDEMPTIONS).where(_REDEMPTIONS.c.tenant_id == bindparam("tenant_id"))
_REDEMPTION = _REDEMPTIONS_OF_TENANT.where(_REDEMPTIONS.c.id == bindparam("redemption_id"))
BATCHES: Select[Any] = select(_BATCHES).where(_BATCHES.c.tenant_id == bindparam("tenant_id"))
_BATCH = BATCHES.where(_BATCHES.c.id == bindparam("voucher_batch_id"))


def voucher(tx: Transaction, *, voucher_id: int) -> Row[Any] | None:
    return tx.execute(_VOUCHER, {"voucher_id": voucher_id}).one_or_none()


def vouchers(query: Mapping[str, Any]) -> Select[Any]:
    """Those that a list's filters leave; ``search`` is a literal part of name or code."""
    rows = ALL_VOUCHERS
    if query["is_active"] is not None:
        rows = rows.where(_VOUCHERS.c.is_active == (query["is_active"] == "true"))
    for name in ("voucher_batch_id", "partner_location_id"):
        if query[name] is not None:
            rows = rows.where(_VOUCHERS.c[name] == query[name])
    if query["search"] is not None:
        searched = func.lower(_VOUCHERS.c.name + literal_column("' '") + _VOUCHERS.c.voucher_code)
        rows = rows.where(searched.contains(func.lower(_escaped(query["search"])), escape="/"))
    return rows


def _escaped(term: str) -> str:
    return term.replace("/", "//").replace("%", "/%").replace("_", "/_")


def redemption(tx: Transaction, *, redemption_id: int) -> Row[Any]:
    """One that is known to exist: redemptions are never deleted."""
    return tx.execute(_REDEMPTION, {"redemption_id": redemption_id}).one()


def redemption_of(tx: Transaction, *, voucher_id: int, redemption_id: int) -> Row[Any] | None:
    named = _REDEMPTION.where(_REDEMPTIONS.c.voucher_id == bindparam("voucher_id"))
    return tx.execute(named, {"voucher_id": voucher_id, "redemption_id": redemption_id}).one_or_none()


def redemptions(query: Mapping[str, Any], *, voucher_id: int, period: Period) -> Select[Any]:
    """Those of the voucher that a list's filters leave; ``period`` is that of ``redeemed_at``."""
    conditions = [_REDEMPTIONS.c.voucher_id == voucher_id, *period.holds(_REDEMPTIONS.c.redeemed_at)]
    # Implied, and what the index is ordered by: the list then begins at the period and ends with it.
    conditions += period.widened(before=AHEAD, after=BACK).holds(_REDEMPTIONS.c.created_at)
    if query["customer_id"] is not None:
        conditions.append(_REDEMPTIONS.c.customer_id == query["customer_id"])
    if query["customer_email"] is not None:
        conditions.append(_REDEMPTIONS.c.customer_id == _holder_of(query["customer_email"]))
    if query["status"] is not None:
        conditions.append(_has_status(query["status"]))
    if query["order_reference"] is not None:
        conditions.append(_has_order_reference(query["order_reference"]))
    return _REDEMPTIONS_OF_TENANT.where(*conditions)


def _holder_of(email: str) -> ScalarSelect[int]:
    """One value, so that an index gives the rows in their order; of two who claim it for a moment, the newer."""
    holder = _CUSTOMERS.c.tenant_id == bindparam("tenant_id"), _CUSTOMERS.c.email == normalized_email(email)
    return select(func.max(_CUSTOMERS.c.customer_id)).where(*holder).scalar_subquery()


def _has_status(status: str) -> ColumnElement[bool]:
    rolled_back_at = _REDEMPTIONS.c.rolled_back_at
    return rolled_back_at.is_(None) if status == "redeemed" else rolled_back_at.is_not(None)


def _has_order_reference(order_reference: str) -> ColumnElement[bool]:
    """In two halves, since each has an index of its own: the standing redemption, and those that were rolled back."""
    same = _REDEMPTIONS.c.order_reference == order_reference
    return or_(*(and_(same, _has_status(status)) for status in ("redeemed", "rolled_back")))


def batch(tx: Transaction, *, voucher_batch_id: int) -> Row[Any] | None:
    return tx.execute(_BATCH, {"voucher_batch_id": voucher_batch_id}).one_or_none()


def has_vouchers(tx: Transaction) -> bool:
    return bool(tx.execute(_ANY_VOUCHER).scalar_one())
