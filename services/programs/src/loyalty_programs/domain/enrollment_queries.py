"""Reads of memberships; lists have their order and limits put on them by ``loyalty_common.pagination``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, Row, Select, bindparam, select

from loyalty_common.database import Transaction
from loyalty_programs.domain.queries import names_customer
from loyalty_programs.models import enrollments

_TENANT = bindparam("tenant_id", type_=BigInteger)
_ENROLLMENT = select(enrollments).where(
    enrollments.c.tenant_id == _TENANT,
    enrollments.c.loyalty_card_id == bindparam("card_id"),
    enrollments.c.id == bindparam("enrollment_id"),
)

NEWEST = (enrollments.c.created_at, enrollments.c.id)


def enrollment(tx: Transaction, *, card_id: int, enrollment_id: int) -> Row[Any] | None:
    return tx.execute(_ENROLLMENT, {"card_id": card_id, "enrollment_id": enrollment_id}).one_or_none()


def members(*, card_id: int, filters: Mapping[str, Any]) -> Select[Any]:
    rows = select(enrollments).where(
        enrollments.c.tenant_id == _TENANT,
        enrollments.c.loyalty_card_id == card_id,
        *names_customer(enrollments.c.customer_id, filters),
    )
    for name in ("status", "member_number"):
        if filters[name] is not None:
            rows = rows.where(enrollments.c[name] == filters[name])
    return rows
