"""A referral that may come forward, with the one who is paid for it: loaded under the locks of both enrollments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, select
from sqlalchemy.types import BigInteger

from loyalty_common.database import Conflict, Transaction
from loyalty_programs.domain import milestones, people
from loyalty_programs.domain.enrolling import ACTIVE
from loyalty_programs.domain.locks import Locked
from loyalty_programs.domain.people import CUSTOMERS
from loyalty_programs.domain.referring import Course
from loyalty_programs.models import enrollments, referral_codes, referral_programs, referrals

_TENANT = bindparam("tenant_id", type_=BigInteger)
_LOAD = (
    select(
        *referrals.c,
        referral_codes.c.referral_code,
        referral_programs.c.name.label("program_name"),
        referral_programs.c.is_active.label("program_is_active"),
        CUSTOMERS.c.profile,
        CUSTOMERS.c.erased_at,
        enrollments.c.id.label("enrollment_id"),
        enrollments.c.status.label("enrollment_status"),
        enrollments.c.points_balance,
        enrollments.c.version,
    )
    .select_from(referrals)
    .join(
        referral_codes,
        and_(referral_codes.c.tenant_id == _TENANT, referral_codes.c.id == referrals.c.referral_code_id),
    )
    .join(
        referral_programs,
        and_(referral_programs.c.tenant_id == _TENANT, referral_programs.c.id == referrals.c.referral_program_id),
    )
    .join(
        enrollments,
        and_(
            enrollments.c.tenant_id == _TENANT,
            enrollments.c.loyalty_card_id == referrals.c.loyalty_card_id,
            enrollments.c.customer_id == referrals.c.referrer_customer_id,
        ),
    )
    .join(
        CUSTOMERS,
        and_(CUSTOMERS.c.tenant_id == _TENANT, CUSTOMERS.c.customer_id == referrals.c.referrer_customer_id),
    )
    .where(referrals.c.tenant_id == _TENANT, referrals.c.id == bindparam("referral_id", type_=BigInteger))
)


@dataclass(frozen=True, slots=True)
class ReferralFacts:
    """``columns`` of the referral and its code. ``enrollment``, ``version`` and ``customer`` are the referrer's.

    ``payable_balance``: None if he gets nothing, being suspended or erased.
    """

    columns: Mapping[str, Any]
    course: Course
    program_name: str
    program_is_active: bool
    enrollment: Mapping[str, Any]
    version: int
    customer: Mapping[str, Any]
    payable_balance: int | None


def load(tx: Transaction, referral_id: int, locked: Locked) -> ReferralFacts:
    """``Conflict`` if the referrer's enrollment is not locked, which he has had for longer than his code."""
    loaded = tx.execute(_LOAD, {"referral_id": referral_id}).one()
    if loaded.enrollment_id not in locked.enrollments:
        raise Conflict
    may_be_paid = loaded.enrollment_status == ACTIVE and loaded.profile is not None
    return ReferralFacts(
        columns=loaded._asdict(),
        course=milestones.course(loaded.milestones, currency=loaded.currency),
        program_name=loaded.program_name,
        program_is_active=loaded.program_is_active,
        enrollment={
            "id": loaded.enrollment_id,
            "loyalty_card_id": loaded.loyalty_card_id,
            "customer_id": loaded.referrer_customer_id,
        },
        version=loaded.version,
        customer=loaded.profile or people.nobody(loaded.referrer_customer_id, erased_at=loaded.erased_at),
        payable_balance=loaded.points_balance if may_be_paid else None,
    )
