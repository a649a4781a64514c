"""Reads of customers."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, bindparam, select

from loyalty_common.database import Transaction
from loyalty_common.fields import normalized_email
from loyalty_customers.domain.errors import AmbiguousIdentifier, PhoneNotPossible
from loyalty_customers.domain.profiles import Profile, customer_object, e164, phone_digits
from loyalty_customers.models import Customer

_CUSTOMER = Customer.__table__
NEWEST_FIRST = (Customer.created_at, Customer.id)
PRESENT = select(_CUSTOMER).where(Customer.tenant_id == bindparam("tenant_id"), Customer.erased_at.is_(None))
_BY_ID = PRESENT.where(Customer.id == bindparam("customer_id"))
_BY_EMAIL = PRESENT.where(Customer.email_key == bindparam("email_key"))
_TWO_BY_PHONE = PRESENT.where(Customer.phone == bindparam("phone")).limit(2)
_WITH_ERASED = select(_CUSTOMER).where(
    Customer.tenant_id == bindparam("tenant_id"), Customer.id == bindparam("customer_id")
)


def profile_of(row: Row[Any]) -> Profile:
    return Profile(email=row.email, name=row.name, phone=row.phone, external_id=row.external_id, metadata=row.metadata)


def shown(row: Row[Any]) -> dict[str, Any]:
    return customer_object(
        customer_id=row.id, profile=profile_of(row), created_at=row.created_at, updated_at=row.updated_at
    )


def by_id(tx: Transaction, *, customer_id: int) -> Row[Any] | None:
    return tx.execute(_BY_ID, {"customer_id": customer_id}).one_or_none()


def by_email(tx: Transaction, *, email: str) -> Row[Any] | None:
    return tx.execute(_BY_EMAIL, {"email_key": normalized_email(email)}).one_or_none()


def by_phone(tx: Transaction, *, phone: str, country: str) -> Row[Any] | None:
    """``phone`` as dialled in ``country``; ``AmbiguousIdentifier`` if several customers have it."""
    if phone_digits(phone) is None:
        return None  # e164 would find a number in the middle of other words too
    try:
        named = {"phone": e164(phone, country=country)}
    except PhoneNotPossible:
        return None
    found = tx.execute(_TWO_BY_PHONE, named).all()
    if len(found) > 1:
        raise AmbiguousIdentifier
    return found[0] if found else None


def for_directory(tx: Transaction, *, customer_id: int | None, email: str | None) -> Row[Any] | None:
    """The row that another service asks for: by id an erased one too, by e-mail the one who has it now."""
    if customer_id is not None:
        return tx.execute(_WITH_ERASED, {"customer_id": customer_id}).one_or_none()
    return by_email(tx, email=email or "")
