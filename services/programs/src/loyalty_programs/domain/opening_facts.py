"""What opening balances are decided from: hundreds of enrollments, locked in one order and loaded in one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Table,
    and_,
    any_,
    bindparam,
    cast,
    column,
    func,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.selectable import LateralFromClause
from sqlalchemy.types import Text

from loyalty_common.database import Conflict, Transaction
from loyalty_programs.domain import places
from loyalty_programs.domain.ledger import Member
from loyalty_programs.domain.terms import CardTerms
from loyalty_programs.models import (
    directory,
    enrollment_ids,
    enrollments,
    loyalty_cards,
    points_transaction_ids,
    points_transactions,
)

OPERATION = "transactions"
_TENANT = bindparam("tenant_id", type_=BigInteger)


@dataclass(frozen=True, slots=True)
class OpeningBalance:
    """``row`` of an import; ``reference`` is made of both and books it once for ever. ``points`` may be 0."""

    row: int
    reference: str
    customer_id: int
    card_id: int
    points: int
    member_since: date | None


@dataclass(frozen=True, slots=True)
class Account:
    """One row's facts. ``card_row`` is None for a card that does not exist.

    ``earlier``: what used the reference up (customer, points, source).
    """

    asked: OpeningBalance
    card_row: dict[str, Any] | None
    time_zone: str
    profile: Mapping[str, Any] | None
    is_erased: bool
    enrollment: dict[str, Any] | None
    version: int | None
    earlier: tuple[int, int, str] | None
    enrollment_id: int
    transaction_id: int

    @property
    def customer(self) -> Mapping[str, Any]:
        return self.profile or {}

    @property
    def member(self) -> Member | None:
        if self.enrollment is None:
            return None
        return Member(self.enrollment["status"], self.enrollment["points_balance"])

    @property
    def terms(self) -> CardTerms:
        """Without the rule of purchases and the bonus, of which nothing is due here."""
        card = self.card_row or {}
        names = ("name", "is_active", "date_issued", "expiry_date", "points_expire_after_months")
        return CardTerms(**{name: card[name] for name in names}, time_zone=self.time_zone)


_ASKED = (
    func.json_to_recordset(cast(bindparam("asked", type_=Text), JSON))
    .table_valued(
        column("place", BigInteger),
        column("card_id", BigInteger),
        column("customer_id", BigInteger),
        column("reference", Text),
    )
    .render_derived(name="asked", with_types=True)
)
_IS_ASKED_FOR = and_(
    enrollments.c.tenant_id == _TENANT,
    enrollments.c.loyalty_card_id == _ASKED.c.card_id,
    enrollments.c.customer_id == _ASKED.c.customer_id,
)
# By id, as everybody who locks several enrollments.
_LOCK = select(enrollments.c.id).where(_IS_ASKED_FOR).order_by(enrollments.c.id).with_for_update(of=enrollments)


def _each(table: Table, name: str, **wanted: ColumnElement[Any]) -> LateralFromClause:
    """The row of ``table`` that one of those asked for means, looked up by an index for each of them.

    Joined plainly, PostgreSQL reads all of a tenant's rows for every batch until it has counted them: 800 ms instead
    of 20 for a batch of a new tenant's 10,000th balances.
    """
    conditions = [table.c[column_name] == value for column_name, value in wanted.items()]
    return select(table).where(table.c.tenant_id == _TENANT, *conditions).limit(1).lateral(name)


_CUSTOMER = _each(directory.customers, "customer", customer_id=_ASKED.c.customer_id)
_ENROLLMENT = _each(enrollments, "enrollment", loyalty_card_id=_ASKED.c.card_id, customer_id=_ASKED.c.customer_id)
_ledger = points_transactions.c
# By themselves and all at once, for the same reason: two indexes of the ledger look alike to it.
_EARLIER = select(
    _ledger.reference, _ledger.customer_id, _ledger.points_delta, _ledger.source, _ledger.loyalty_card_id
).where(
    _ledger.tenant_id == _TENANT,
    _ledger.loyalty_card_id == any_(bindparam("card_ids", type_=ARRAY(BigInteger))),
    _ledger.operation == bindparam("operation", type_=Text),
    _ledger.reference == any_(bindparam("references", type_=ARRAY(Text))),
)
_LOAD = (
    select(
        *(each.label(f"card_{each.name}") for each in loyalty_cards.c),
        *(each.label(f"enrollment_{each.name}") for each in _ENROLLMENT.c),
        places.HOME.c.time_zone,
        _CUSTOMER.c.profile,
        _CUSTOMER.c.erased_at,
        # Drawn under the lock, so that ids order each ledger.
        enrollment_ids.next_value().label("next_enrollment_id"),
        points_transaction_ids.next_value().label("next_transaction_id"),
    )
    .select_from(
        _ASKED.outerjoin(
            loyalty_cards, and_(loyalty_cards.c.tenant_id == _TENANT, loyalty_cards.c.id == _ASKED.c.card_id)
        )
        .outerjoin(places.HOME, places.is_home_of(loyalty_cards))
        .outerjoin(_CUSTOMER, true())
        .outerjoin(_ENROLLMENT, true())
    )
    .order_by(_ASKED.c.place)
)


def lock_and_load(tx: Transaction, balances: Sequence[OpeningBalance]) -> list[Account]:
    """In the order of ``balances``, of which no two are one customer's on one card."""
    asked = [
        {"place": place, "card_id": each.card_id, "customer_id": each.customer_id, "reference": each.reference}
        for place, each in enumerate(balances)
    ]
    named = {"asked": orjson.dumps(asked).decode()}
    locked = set(tx.execute(_LOCK, named).scalars())
    loaded = [row._asdict() for row in tx.execute(_LOAD, named)]
    if any(row["enrollment_id"] not in locked for row in loaded if row["enrollment_id"] is not None):
        # Enrolled by someone else after our lock found nobody: what we see is not ours to change yet.
        raise Conflict
    earlier = _earlier(tx, balances)
    return [_account(each, row, earlier) for each, row in zip(balances, loaded, strict=True)]


def _earlier(tx: Transaction, balances: Sequence[OpeningBalance]) -> dict[tuple[int, str], tuple[int, int, str]]:
    named = {
        "card_ids": sorted({each.card_id for each in balances}),
        "references": [each.reference for each in balances],
        "operation": OPERATION,
    }
    return {
        (row.loyalty_card_id, row.reference): (row.customer_id, row.points_delta, row.source)
        for row in tx.execute(_EARLIER, named)
    }


def _account(
    asked: OpeningBalance, row: Mapping[str, Any], earlier: Mapping[tuple[int, str], tuple[int, int, str]]
) -> Account:
    card = _part(row, "card_")
    if card is not None and row["time_zone"] is None:
        raise places.missing(card["partner_location_id"])
    enrollment = _part(row, "enrollment_")
    return Account(
        asked=asked,
        card_row=card,
        time_zone=row["time_zone"] or "",
        profile=row["profile"],
        is_erased=row["erased_at"] is not None,
        enrollment=enrollment,
        version=row["enrollment_version"],
        earlier=earlier.get((asked.card_id, asked.reference)),
        enrollment_id=row["next_enrollment_id"],
        transaction_id=row["next_transaction_id"],
    )


def _part(row: Mapping[str, Any], prefix: str) -> dict[str, Any] | None:
    """The columns of one of the joined tables, if it had a row."""
    part = {name.removeprefix(prefix): value for name, value in row.items() if name.startswith(prefix)}
    return part if part["id"] is not None else None
