"""What happened between a customer and the programs, newest first, in the full shapes of its objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Select,
    Table,
    Text,
    bindparam,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY

from loyalty_common.database import Transaction
from loyalty_programs.domain import shapes
from loyalty_programs.models import (
    enrollments,
    points_transactions,
    reward_claims,
    stamp_memberships,
    stamp_rewards,
    stamp_transactions,
)

_TENANT = bindparam("tenant_id", type_=BigInteger)
_CUSTOMER = bindparam("customer_id", type_=BigInteger)


@dataclass(frozen=True, slots=True)
class Source:
    """Rows of ``table`` that tell something at ``moment``; what, is the SQL expression ``kind``."""

    noun: str
    table: Table
    moment: Column[datetime]
    kind: ColumnElement[str]
    show: Callable[[Mapping[str, Any]], dict[str, Any]]

    @property
    def entries(self) -> Select[Any]:
        return select(
            self.moment.label("at"), self.kind.label("kind"), _word(self.noun).label("noun"), self.table.c.id
        ).where(of_customer(self.table), self.moment < bindparam("before"))


def of_customer(table: Table) -> ColumnElement[bool]:
    """Found by the customer's few enrollments or memberships, which the ledgers' indexes begin with."""
    mine = (table.c.tenant_id == _TENANT) & (table.c.customer_id == _CUSTOMER)
    for through, name in ((enrollments, "enrollment_id"), (stamp_memberships, "stamp_membership_id")):
        if name in table.c:
            ids = select(through.c.id).where(through.c.tenant_id == _TENANT, through.c.customer_id == _CUSTOMER)
            return mine & table.c[name].in_(ids)
    return mine


def _word(word: str) -> ColumnElement[str]:
    return literal_column(f"'{word}'", Text)


_SOURCES = (
    Source("enrollment", enrollments, enrollments.c.created_at, _word("loyalty.enrolled"), shapes.enrollment),
    Source(
        "transaction",
        points_transactions,
        points_transactions.c.occurred_at,
        _word("points.") + points_transactions.c.type,
        shapes.transaction,
    ),
    Source(
        "stamp_transaction",
        stamp_transactions,
        stamp_transactions.c.occurred_at,
        _word("stamps.") + stamp_transactions.c.type,
        shapes.stamp,
    ),
    Source(
        "stamp_reward",
        stamp_rewards,
        stamp_rewards.c.fulfilled_at,
        _word("stamp_reward.fulfilled"),
        shapes.stamp_reward,
    ),
    *(
        Source("reward_claim", reward_claims, reward_claims.c[f"{end}_at"], _word(f"reward.{end}"), shapes.reward_claim)
        for end in ("claimed", "fulfilled", "cancelled")
    ),
)
_entry = union_all(*(source.entries for source in _SOURCES)).subquery("entry")
_PAGE = select(_entry).order_by(_entry.c.at.desc()).fetch(bindparam("limit"), with_ties=True)
_ROWS = {
    source.noun: select(source.table).where(
        source.table.c.tenant_id == _TENANT,
        source.table.c.id == bindparam("ids", type_=ARRAY(BigInteger)).any_(),
    )
    for source in _SOURCES
}
_SHOW = {source.noun: source.show for source in _SOURCES}


def page(tx: Transaction, *, customer_id: int, before: datetime, limit: int) -> list[dict[str, Any]]:
    """``{at, kind, <noun>}``: the newest ``limit`` before ``before``, and past it those of the last one's moment.

    ``at`` has microseconds: that of the last entry is the next ``before``.
    """
    found = tx.execute(_PAGE, {"customer_id": customer_id, "before": before, "limit": limit}).all()
    ids: dict[str, list[int]] = {}
    for entry in found:
        ids.setdefault(entry.noun, []).append(entry.id)
    shown = {
        (noun, row.id): _SHOW[noun](row._asdict())
        for noun, wanted in ids.items()
        for row in tx.execute(_ROWS[noun], {"ids": wanted})
    }
    return [
        {"at": entry.at.isoformat(), "kind": entry.kind, entry.noun: shown[entry.noun, entry.id]} for entry in found
    ]
