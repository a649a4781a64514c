"""The missing entries of a reconciliation become purchases, one transaction each.

An entry is locked, posted and settled in one transaction, so that whoever dies in the middle leaves it as it was, and
any number may work side by side: who finds an entry locked passes it by.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from sqlalchemy import bindparam, func, literal_column, null, select, update
from sqlalchemy.types import BigInteger, Integer, Text

from loyalty_common.database import Rendered, Transaction
from loyalty_common.errors import ValidationFailed
from loyalty_common.idempotency import RequestKey
from loyalty_programs.domain import points
from loyalty_programs.domain.acts import Act, Receipt
from loyalty_programs.domain.earning import Purchase
from loyalty_programs.domain.people import CustomerName
from loyalty_programs.domain.reconciliations import IS_OPEN
from loyalty_programs.models import reconciliation_entries

_T = TypeVar("_T")
_entry = reconciliation_entries.c
_ENTRIES = (
    _entry.tenant_id == bindparam("tenant_id", type_=BigInteger),
    _entry.reconciliation_id == bindparam("reconciliation_id", type_=BigInteger),
    IS_OPEN,
)
_ENTRY = (*_ENTRIES, _entry.position == bindparam("at_position", type_=Integer))
# Those whose customer must be asked for come last: while that is not possible, they hold up nobody else.
_OPEN = (
    select(_entry.position)
    .where(*_ENTRIES)
    .order_by(_entry.customer_email.is_not(None), _entry.position)
    .limit(bindparam("limit", type_=Integer))
)
_LOCK = select(reconciliation_entries).where(*_ENTRY).with_for_update(skip_locked=True)
_settled = (
    update(reconciliation_entries)
    .where(*_ENTRY)
    .values(
        applied_transaction_id=bindparam("posted_id", type_=BigInteger),
        customer_id=func.coalesce(bindparam("posted_for", type_=BigInteger), _entry.customer_id),
        error=bindparam("reason", type_=Text),
        customer_email=null(),
    )
    .returning(literal_column("1"))
    .cte("settled")
)
_SETTLE = Rendered(select(func.count()).select_from(_settled))


class Perform(Protocol):
    """Runs an operation in a transaction of its own, asking the owners for what the directory misses."""

    def __call__(self, operation: Callable[[Transaction], _T], /) -> _T: ...


@dataclass(frozen=True, slots=True)
class Work:
    """A reconciliation that is being applied."""

    reconciliation_id: int
    loyalty_card_id: int
    organization_id: int
    source: str

    @classmethod
    def of(cls, row: Any) -> Work:
        return cls(row.id, row.loyalty_card_id, row.organization_id, row.source)


def apply_some(perform: Perform, work: Work, *, limit: int, at: datetime, choose: Callable[[int], int]) -> int:
    """Settle up to ``limit`` open entries; how many it were. Outages are raised, and leave the entry open."""
    named = {"reconciliation_id": work.reconciliation_id}
    positions = perform(lambda tx: tx.execute(_OPEN, {**named, "limit": limit}).scalars().all())
    settled = 0
    for position in positions:
        act = Act(
            request=RequestKey(f"reconciliation:{work.reconciliation_id}:{position}", "entry"),
            organization_id=work.organization_id,
            source=work.source,
            at=at,
            choose=choose,
        )
        settled += _apply(perform, work, {**named, "at_position": position}, act)
    return settled


def _apply(perform: Perform, work: Work, named: dict[str, Any], act: Act) -> bool:
    try:
        return perform(lambda tx: _post(tx, work, named, act))
    except ValidationFailed as refusal:
        error = refusal.reason or refusal.code
    return perform(lambda tx: _settle(tx, named, reason=error))


def _post(tx: Transaction, work: Work, named: dict[str, Any], act: Act) -> bool:
    entry = tx.execute(_LOCK, named).one_or_none()
    if entry is None:
        return False
    reply = points.post(
        tx,
        card_id=work.loyalty_card_id,
        customer=CustomerName(customer_id=entry.customer_id, email=entry.customer_email),
        command=Purchase(entry.amount, entry.currency),
        receipt=Receipt(occurred_at=entry.occurred_at or act.at, operation="transactions", reference=entry.reference),
        act=act,
    )
    return _settle(tx, named, posted_id=reply.data["id"], posted_for=reply.data["customer_id"])


def _settle(
    tx: Transaction,
    named: dict[str, Any],
    *,
    posted_id: int | None = None,
    posted_for: int | None = None,
    reason: str | None = None,
) -> bool:
    """False for an entry that was settled by somebody else."""
    outcome = {"posted_id": posted_id, "posted_for": posted_for, "reason": reason}
    [(count,)] = tx.run(_SETTLE, {**named, **outcome})
    return bool(count)
