"""Who is a member of what, for those who ask by a member number or by a customer."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, bindparam, select

from loyalty_common.database import Transaction
from loyalty_programs.models import enrollments

_MOST = 100
_OF_TENANT = select(enrollments).where(enrollments.c.tenant_id == bindparam("tenant_id"))


def of_number(tx: Transaction, *, member_number: str) -> list[Row[Any]]:
    """One enrollment or none; ``member_number`` is in groups of four."""
    return list(tx.execute(_OF_TENANT.where(enrollments.c.member_number == member_number)))


def of_customer(tx: Transaction, *, customer_id: int, loyalty_card_id: int | None) -> list[Row[Any]]:
    """The customer's enrollments, newest first and at most 100, or the one on ``loyalty_card_id``."""
    found = _OF_TENANT.where(enrollments.c.customer_id == customer_id)
    if loyalty_card_id is not None:
        found = found.where(enrollments.c.loyalty_card_id == loyalty_card_id)
    newest_first = found.order_by(enrollments.c.created_at.desc(), enrollments.c.id.desc())
    return list(tx.execute(newest_first.limit(_MOST)))
