"""E-mails that pass from one customer to another.

Tills credit by e-mail, at services that learn from an event who has one. Until the event that says a customer gave
his up has left the outbox, they may still take the address for his: so long it is nobody else's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sqlalchemy import any_, bindparam, cast, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Text

from loyalty_common.database import Transaction
from loyalty_common.errors import Unavailable
from loyalty_common.fields import normalized_email
from loyalty_customers.models import outbox

_GIVEN_UP = select(outbox.c.id).where(
    outbox.c.tenant_id == bindparam("tenant_id"),
    outbox.c.freed_email == bindparam("freed_email"),
    cast(outbox.c.payload, JSONB)["id"].as_integer() != bindparam("customer_id"),
)

_ANY_GIVEN_UP = (
    select(outbox.c.id)
    .where(
        outbox.c.tenant_id == bindparam("tenant_id"),
        outbox.c.freed_email == any_(bindparam("freed_emails", type_=ARRAY(Text))),
    )
    .limit(1)
)


def freed(email: str) -> dict[str, str]:
    """What the outbox row of the event carries with which a customer gives ``email`` up.

    A digest: the row of an erasure may wait for long, and must not keep what was erased.
    """
    return {"freed_email": hashlib.sha256(normalized_email(email).encode()).hexdigest()}


def check_passed_on(tx: Transaction, *, email: str, customer_id: int) -> None:
    """``Unavailable``, to come again in a second, if another customer gave ``email`` up and not all can know yet.

    Call it after *record*, in the same transaction, whenever ``customer_id`` got this e-mail. Before it, somebody else
    could still take the address and give it up again; now the unique index keeps everybody from it.
    """
    if tx.execute(_GIVEN_UP.limit(1), {**freed(email), "customer_id": customer_id}).first() is not None:
        raise _passing_on()


def check_all_new_ones_passed_on(tx: Transaction, addresses: Iterable[str]) -> None:
    """The same for many, whom nobody can have given up before: they came into being in this transaction."""
    digests = [freed(address)["freed_email"] for address in addresses]
    if tx.execute(_ANY_GIVEN_UP, {"freed_emails": digests}).first() is not None:
        raise _passing_on()


def _passing_on() -> Unavailable:
    return Unavailable("This e-mail address is passing from one customer to another.", retry_after_s=1)
