"""Lots as decisions see them: what may be spent, and what a spend took. Loaded under the lock of the enrollment."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Date, ScalarSelect, and_, bindparam, case, func, literal_column, or_, select
from sqlalchemy.types import BigInteger

from loyalty_common.database import Transaction
from loyalty_programs.domain.dates import local_date
from loyalty_programs.domain.lots import Lot, Spend
from loyalty_programs.models import enrollments, lot_spends, points_transactions

_TENANT = bindparam("tenant_id", type_=BigInteger)
_lot = points_transactions.alias("lot")
_NEVER = _lot.c.expires_on.is_(None)
_AS_JSON = func.json_build_array(_lot.c.id, _lot.c.points_remaining, _lot.c.expires_on).label("lot")
_A_DAY = timedelta(days=1)


def _spendable() -> ScalarSelect[Any]:
    # What day it is depends on the card, and that on what this very statement loads. No place is more than a day from
    # UTC: the lots that surely live are counted, the few of the days between come along.
    surely = or_(_NEVER, _lot.c.expires_on > bindparam("latest_today", type_=Date))
    counted = case((surely, _lot.c.points_remaining), else_=literal_column("0"))
    first_to_go = (_lot.c.expires_on, _lot.c.id)
    lots = (
        select(
            _AS_JSON,
            (func.sum(counted).over(order_by=first_to_go) - counted).label("points_before"),
        )
        .where(
            _lot.c.tenant_id == _TENANT,
            _lot.c.enrollment_id == enrollments.c.id,
            _lot.c.points_remaining > literal_column("0"),
            or_(_NEVER, _lot.c.expires_on >= bindparam("earliest_today", type_=Date)),
        )
        .correlate(enrollments)
        .subquery("spendable")
    )
    needed: ColumnElement[int] = bindparam("points_needed", type_=BigInteger)
    return (
        select(func.json_agg(lots.c.lot)).where(lots.c.points_before < needed).correlate(enrollments).scalar_subquery()
    )


# Only those that the first ``points_needed`` points are in: a member of years has hundreds.
SPENDABLE = _spendable().label("lots")
"""Column of *load* beside ``enrollments``; parameters ``spendable_at`` and ``points_needed``."""


def spendable_at(at: datetime) -> dict[str, date]:
    today = at.date()
    return {"earliest_today": today - _A_DAY, "latest_today": today + _A_DAY}


def lots_alive(loaded: Iterable[Any], *, at: datetime, time_zone: str) -> tuple[Lot, ...]:
    """Of the loaded lots those whose points can still be spent where the card is at home.

    Expired ones are in the balance until the job has written them off, but nobody can spend them any more.
    """
    today = local_date(at, time_zone)
    return tuple(lot for lot in lots_of(loaded) if not lot.is_expired(today))


def holding(transaction_id: ColumnElement[int], enrollment_id: ColumnElement[int]) -> ScalarSelect[Any]:
    """Column: the lot of a row, and those that the first ``points_needed`` points of its enrollment are in.

    Expired ones, too, while they are in the balance: a reversal leaves no point in a lot that the balance lacks.
    """
    before = func.sum(_lot.c.points_remaining).over(order_by=(_lot.c.expires_on, _lot.c.id)) - _lot.c.points_remaining
    lots = (
        select(_lot.c.id, _AS_JSON, before.label("points_before"))
        .where(
            _lot.c.tenant_id == _TENANT,
            _lot.c.enrollment_id == enrollment_id,
            _lot.c.points_remaining > literal_column("0"),
        )
        .subquery("holding")
    )
    needed: ColumnElement[int] = bindparam("points_needed", type_=BigInteger)
    wanted = or_(lots.c.points_before < needed, lots.c.id == transaction_id)
    return select(func.json_agg(lots.c.lot)).where(wanted).scalar_subquery()


def lots_of(loaded: Iterable[Any] | None) -> tuple[Lot, ...]:
    return tuple(Lot(lot_id, left, date.fromisoformat(day) if day else None) for lot_id, left, day in loaded or ())


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
