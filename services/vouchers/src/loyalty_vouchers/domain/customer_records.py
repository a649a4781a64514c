"""What this service knows of one customer, for the services that put together the whole."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, case, func, literal, literal_column, or_, select, union_all

from loyalty_common.database import Transaction
from loyalty_common.errors import Refusal
from loyalty_vouchers.domain import judging, queries
from loyalty_vouchers.domain.redeeming import Uses, check_limits, check_valid
from loyalty_vouchers.models import Redemption, Voucher, directory

_VOUCHERS = Voucher.__table__
_REDEMPTIONS = Redemption.__table__
_HOME = directory.locations
_MOST_USABLE = 50
_ONE_DAY = timedelta(days=1)
_OF_CUSTOMER = and_(
    _REDEMPTIONS.c.tenant_id == bindparam("tenant_id"), _REDEMPTIONS.c.customer_id == bindparam("customer_id")
)
_ALL = select(_REDEMPTIONS).where(_OF_CUSTOMER).order_by(_REDEMPTIONS.c.redeemed_at.desc(), _REDEMPTIONS.c.id.desc())
_uses_by_customer = (
    select(func.count())
    .where(_OF_CUSTOMER, _REDEMPTIONS.c.voucher_id == _VOUCHERS.c.id, _REDEMPTIONS.c.rolled_back_at.is_(None))
    .scalar_subquery()
)
_OFFERED = (
    select(
        _VOUCHERS,
        queries.redemptions_count.label("redemptions_count"),
        case(
            (_VOUCHERS.c.max_redemptions_per_customer.is_not(None), _uses_by_customer), else_=literal_column("0")
        ).label("redemptions_by_customer"),
        _HOME.c.time_zone,
    )
    .join(
        _HOME,
        and_(
            _HOME.c.organization_id == _VOUCHERS.c.organization_id,
            _HOME.c.partner_location_id == _VOUCHERS.c.partner_location_id,
        ),
    )
    .where(
        _VOUCHERS.c.tenant_id == bindparam("tenant_id"),
        _VOUCHERS.c.is_active,
        _VOUCHERS.c.voucher_batch_id.is_(None),
        or_(_VOUCHERS.c.valid_from.is_(None), _VOUCHERS.c.valid_from <= bindparam("latest_opening")),
        or_(_VOUCHERS.c.valid_until.is_(None), _VOUCHERS.c.valid_until >= bindparam("earliest_closing")),
    )
    .order_by(_VOUCHERS.c.created_at.desc(), _VOUCHERS.c.id.desc())
    .execution_options(yield_per=200)
)


def usable_vouchers(tx: Transaction, *, customer_id: int, at: datetime) -> list[Row[Any]]:
    """The newest 50 that the customer could redeem at this moment, with their ``redemptions_count``.

    Without those of batches: the service does not know to whom a code was sent, and must not tell it to others.
    """
    parameters = {
        "customer_id": customer_id,
        # No place is further than a day from UTC's date; what is left is judged by the rules of redeeming.
        "latest_opening": at.date() + _ONE_DAY,
        "earliest_closing": at.date() - _ONE_DAY,
    }
    with tx.execute(_OFFERED, parameters) as offered:
        return list(islice((row for row in offered if _is_usable(row, at)), _MOST_USABLE))


def _is_usable(row: Row[Any], at: datetime) -> bool:
    terms = judging.terms_of(row)
    try:
        check_valid(terms, at)
        check_limits(terms, Uses(in_all=row.redemptions_count, by_customer=row.redemptions_by_customer))
    except Refusal:
        return False
    return True


def redemptions(tx: Transaction, *, customer_id: int) -> Sequence[Row[Any]]:
    """All of them, newest first."""
    return tx.execute(_ALL, {"customer_id": customer_id}).all()


def timeline(tx: Transaction, *, customer_id: int, before: datetime | None, limit: int) -> Sequence[Row[Any]]:
    """What happened to redemptions before that moment, newest first: ``at``, ``kind`` and the redemption as it is now.

    More than ``limit`` only where the last ones happened at the same moment, so that no page begins among them.
    """
    happened = [
        _entries(_REDEMPTIONS.c.redeemed_at, "voucher.redeemed", before, limit),
        _entries(_REDEMPTIONS.c.rolled_back_at, "voucher.rolled_back", before, limit),
    ]
    entries = union_all(*(select(entry.subquery()) for entry in happened)).subquery()
    newest = select(entries).order_by(entries.c.at.desc()).fetch(limit, with_ties=True).subquery()
    in_order = select(newest).order_by(newest.c.at.desc(), newest.c.id.desc(), newest.c.kind.desc())
    return tx.execute(in_order, {"customer_id": customer_id}).all()


def _entries(at: Any, kind: str, before: datetime | None, limit: int) -> Select[Any]:
    earlier = at.is_not(None) if before is None else at < before
    rows = select(at.label("at"), literal(kind).label("kind"), _REDEMPTIONS).where(_OF_CUSTOMER, earlier)
    return rows.order_by(at.desc()).fetch(limit, with_ties=True)
