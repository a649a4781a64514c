"""The customer whom a request names, looked up in the directory as part of *load*."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, or_

from loyalty_common.directory import MissingFromDirectory
from loyalty_common.fields import normalized_email
from loyalty_vouchers.domain.errors import CustomerNotFound, CustomersDiffer
from loyalty_vouchers.models import directory

_CUSTOMERS = directory.customers


@dataclass(frozen=True, slots=True)
class CustomerName:
    """By id, by e-mail, or by both, which must then be the same person's; by neither if nobody needs to be named."""

    customer_id: int | None = None
    email: str | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """The e-mail searches only where there is no id."""
        searched = self.email if self.customer_id is None else None
        email = None if searched is None else normalized_email(searched)
        return {"named_customer_id": self.customer_id, "named_email": email}

    @property
    def is_nobody(self) -> bool:
        return self.customer_id is None and self.email is None

    @property
    def field(self) -> str:
        return "customer_email" if self.customer_id is None else "customer_id"


IS_NAMED: ColumnElement[bool] = and_(
    _CUSTOMERS.c.tenant_id == bindparam("tenant_id"),
    or_(_CUSTOMERS.c.customer_id == bindparam("named_customer_id"), _CUSTOMERS.c.email == bindparam("named_email")),
)
"""Join condition of *load*; parameters ``CustomerName.parameters``. Two rows where two claim the e-mail."""

COLUMNS = (
    _CUSTOMERS.c.customer_id.label("named_id"),
    _CUSTOMERS.c.profile.label("profile"),
    _CUSTOMERS.c.erased_at.label("erased_at"),
    _CUSTOMERS.c.email.label("known_email"),
)


def found(loaded: Row[Any], name: CustomerName) -> Mapping[str, Any]:
    """The profile of the one who is named; ``CustomerNotFound``, ``CustomersDiffer``, or ask the owner."""
    if loaded.named_id is None:
        raise MissingFromDirectory(
            customer_id=name.customer_id,
            email=name.email if name.customer_id is None else None,
            otherwise=CustomerNotFound(name.field),
        )
    if loaded.erased_at is not None:
        # The row is kept so that no late event brings the person back.
        raise CustomerNotFound(name.field)
    if name.email is not None and loaded.known_email != normalized_email(name.email):
        raise CustomersDiffer
    profile: Mapping[str, Any] = loaded.profile
    return profile
