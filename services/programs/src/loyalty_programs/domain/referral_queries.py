"""Reads of referral programs and referrals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, Row, Select, and_, bindparam, or_, select

from loyalty_common.database import Transaction
from loyalty_programs.models import referral_codes, referral_programs, referrals

_TENANT = bindparam("tenant_id", type_=BigInteger)
PROGRAMS_NEWEST = (referral_programs.c.created_at, referral_programs.c.id)
REFERRALS_NEWEST = (referrals.c.created_at, referrals.c.id)
FILTERS = ("status", "referrer_customer_id", "referred_customer_id")

_PROGRAM = select(referral_programs).where(
    referral_programs.c.tenant_id == _TENANT, referral_programs.c.id == bindparam("referral_program_id")
)
# The code is made of a name, so it stands in its own table only.
_ALL = (
    select(referrals, referral_codes.c.referral_code)
    .join_from(
        referrals,
        referral_codes,
        and_(referral_codes.c.tenant_id == _TENANT, referral_codes.c.id == referrals.c.referral_code_id),
    )
    .where(referrals.c.tenant_id == _TENANT)
)
_REFERRALS = _ALL.where(referrals.c.referral_program_id == bindparam("referral_program_id", type_=BigInteger))
_SOMEBODY = bindparam("customer_id", type_=BigInteger)
_OF_CUSTOMER = _ALL.where(
    or_(referrals.c.referrer_customer_id == _SOMEBODY, referrals.c.referred_customer_id == _SOMEBODY)
).order_by(referrals.c.id)
_REFERRAL = _REFERRALS.where(referrals.c.id == bindparam("referral_id", type_=BigInteger))


def referral_program(tx: Transaction, *, referral_program_id: int) -> Row[Any] | None:
    return tx.execute(_PROGRAM, {"referral_program_id": referral_program_id}).one_or_none()


def all_referral_programs() -> Select[Any]:
    return select(referral_programs).where(referral_programs.c.tenant_id == _TENANT)


def referral(tx: Transaction, *, referral_program_id: int, referral_id: int) -> Row[Any] | None:
    named = {"referral_program_id": referral_program_id, "referral_id": referral_id}
    return tx.execute(_REFERRAL, named).one_or_none()


def referrals_of_program(*, filters: Mapping[str, Any]) -> Select[Any]:
    """Parameter ``referral_program_id``; ``filters`` are ``FILTERS``, each of them or None."""
    chosen = {name: filters[name] for name in FILTERS if filters[name] is not None}
    return _REFERRALS.where(*(referrals.c[name] == value for name, value in chosen.items()))


def of_customer(tx: Transaction, *, customer_id: int) -> Sequence[Row[Any]]:
    """Those that he made and the one by which he came, oldest first."""
    return tx.execute(_OF_CUSTOMER, {"customer_id": customer_id}).all()
