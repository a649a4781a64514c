"""The customer whom a request names, looked up in the directory as part of *lock* and *load*."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, literal_column, select
from sqlalchemy.types import BigInteger, Text

from loyalty_common.database import Transaction
from loyalty_common.directory import MissingFromDirectory
from loyalty_common.envelope import timestamp
from loyalty_common.errors import Unavailable
from loyalty_common.fields import normalized_email
from loyalty_programs.domain.errors import CustomerNotFound, CustomersDiffer
from loyalty_programs.models import directory

CUSTOMERS = directory.customers


@dataclass(frozen=True, slots=True)
class CustomerName:
    """By id, by e-mail, or by both, which must then be the same person's."""

    customer_id: int | None = None
    email: str | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        email = None if self.email is None else normalized_email(self.email)
        return {"named_customer_id": self.customer_id, "named_email": email}

    @property
    def field(self) -> str:
        return "customer_email" if self.customer_id is None else "customer_id"


def _claims() -> tuple[ColumnElement[bool], ...]:
    named = bindparam("named_email", type_=Text)
    return CUSTOMERS.c.tenant_id == bindparam("tenant_id"), CUSTOMERS.c.email == named


# Nobody at all where two rows claim the e-mail: one of them is stale, and a till must not reach the wrong person.
_ONLY_CLAIM = select(func.max(CUSTOMERS.c.customer_id)).where(*_claims()).having(func.count() == literal_column("1"))
NAMED_ID: ColumnElement[int] = func.coalesce(
    bindparam("named_customer_id", type_=BigInteger), _ONLY_CLAIM.scalar_subquery()
)
_CLAIM_COUNT = select(func.count()).where(*_claims())

IS_NAMED = and_(CUSTOMERS.c.tenant_id == bindparam("tenant_id"), CUSTOMERS.c.customer_id == NAMED_ID)
"""Join condition of *load*; parameters ``CustomerName.parameters``."""

COLUMNS = (
    CUSTOMERS.c.customer_id.label("named_id"),
    CUSTOMERS.c.profile.label("profile"),
    CUSTOMERS.c.erased_at.label("erased_at"),
    CUSTOMERS.c.email.label("known_email"),
)


def identify(tx: Transaction, loaded: Any, name: CustomerName, *, erased_too: bool = False) -> Mapping[str, Any]:
    """The profile of the one who is named; ``CustomerNotFound``, ``CustomersDiffer``, or ask the owner.

    ``erased_too``: somebody whose profile is gone is meant as well, for what the ledger goes on with.
    """
    if loaded.named_id is None:
        raise _missing(tx, name)
    if loaded.erased_at is not None:
        if erased_too:
            return nobody(loaded.named_id, erased_at=loaded.erased_at)
        raise CustomerNotFound(name.field)
    if name.customer_id is not None and name.email is not None and loaded.known_email != normalized_email(name.email):
        raise CustomersDiffer
    profile: Mapping[str, Any] = loaded.profile
    return profile


def nobody(customer_id: int, *, erased_at: datetime) -> Mapping[str, Any]:
    """What is left to be said of an erased customer; when he came is not known here any more."""
    erased = timestamp(erased_at)
    gone = dict.fromkeys(("name", "email", "phone", "external_id"))
    return {"id": customer_id, **gone, "metadata": {}, "created_at": erased, "updated_at": erased}


def _missing(tx: Transaction, name: CustomerName) -> Exception:
    otherwise = CustomerNotFound(name.field)
    if name.customer_id is not None:
        return MissingFromDirectory(customer_id=name.customer_id, otherwise=otherwise)
    if tx.execute(_CLAIM_COUNT, name.parameters).scalar_one() > 1:
        return Unavailable("This e-mail address is passing from one customer to another.")
    return MissingFromDirectory(email=name.parameters["named_email"], otherwise=otherwise)
