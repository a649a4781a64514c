"""What every decision about a member's points is made from: locked first, then loaded in one statement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, literal_column, select
from sqlalchemy.types import BigInteger, Text

from loyalty_common.database import Conflict, Rendered, Transaction
from loyalty_common.errors import NotFound
from loyalty_common.idempotency import Reply, replay_columns, same_key, stored_reply
from loyalty_programs.domain import locks, lot_facts, people, places
from loyalty_programs.domain.acts import Act, Receipt
from loyalty_programs.domain.ledger import Member
from loyalty_programs.domain.locks import Locked
from loyalty_programs.domain.lots import Lot
from loyalty_programs.domain.people import CustomerName
from loyalty_programs.domain.terms import CardTerms, EarnRule
from loyalty_programs.models import enrollments, idempotency, loyalty_cards, points_transaction_ids, points_transactions

_TENANT = bindparam("tenant_id", type_=BigInteger)
_CARD = bindparam("card_id", type_=BigInteger)
_START = select(literal_column("1").label("one")).subquery("start")

_FACTS = select(
    *replay_columns(idempotency),
    *people.COLUMNS,
    *places.COLUMNS,
    loyalty_cards.c.id.label("card_id"),
    loyalty_cards.c.partner_location_id.label("home_location_id"),
    loyalty_cards.c.name,
    loyalty_cards.c.is_active,
    loyalty_cards.c.earn_spend_amount,
    loyalty_cards.c.earn_points,
    loyalty_cards.c.earn_currency,
    loyalty_cards.c.initial_bonus_points,
    loyalty_cards.c.date_issued,
    loyalty_cards.c.expiry_date,
    loyalty_cards.c.auto_enroll,
    loyalty_cards.c.points_expire_after_months,
    enrollments.c.id.label("enrollment_id"),
    enrollments.c.status,
    enrollments.c.points_balance,
    enrollments.c.version,
    enrollments.c.member_number,
    enrollments.c.created_at,
    enrollments.c.updated_at,
    points_transactions.c.id.label("earlier_id"),
).select_from(
    _START.outerjoin(idempotency, same_key(idempotency))
    .outerjoin(loyalty_cards, and_(loyalty_cards.c.tenant_id == _TENANT, loyalty_cards.c.id == _CARD))
    .outerjoin(places.HOME, places.is_home_of(loyalty_cards))
    .outerjoin(places.SALE, places.IS_NAMED)
    .outerjoin(people.CUSTOMERS, people.IS_NAMED)
    .outerjoin(
        enrollments,
        and_(
            enrollments.c.tenant_id == _TENANT,
            enrollments.c.loyalty_card_id == _CARD,
            enrollments.c.customer_id == people.CUSTOMERS.c.customer_id,
        ),
    )
    .outerjoin(
        points_transactions,
        and_(
            points_transactions.c.tenant_id == _TENANT,
            points_transactions.c.loyalty_card_id == _CARD,
            points_transactions.c.operation == bindparam("operation", type_=Text),
            points_transactions.c.reference == bindparam("reference", type_=Text),
        ),
    )
)

# Drawn under the lock, so that ids order the ledger.
_DRAWN = points_transaction_ids.next_value().label("transaction_id")
_LOAD = Rendered(_FACTS.add_columns(_DRAWN))
_LOOK = Rendered(_FACTS.add_columns(literal_column("0").label("transaction_id"), lot_facts.SPENDABLE))


def load_with_lots(*more: ColumnElement[Any]) -> Rendered:
    """The *load* of what spends points; ``more``: columns of its own, such as the next id of what it makes."""
    return Rendered(_FACTS.add_columns(_DRAWN, lot_facts.SPENDABLE, *more))


_LOAD_WITH_LOTS = load_with_lots()


@dataclass(frozen=True, slots=True)
class Facts:
    """``member``, ``enrollment`` (its columns) and ``version`` are None for a customer who is not enrolled.

    ``earlier_id``: the row that used up the receipt's reference. ``transaction_id``: for the row to be written.
    ``lots``: those that may be spent.
    """

    card_id: int
    card: CardTerms
    customer: Mapping[str, Any]
    member: Member | None
    enrollment: Mapping[str, Any] | None
    version: int | None
    earlier_id: int | None
    transaction_id: int
    locked: Locked
    lots: tuple[Lot, ...]
    loaded: Any


def lock_and_load(
    tx: Transaction,
    *,
    card_id: int,
    customer: CustomerName,
    act: Act,
    receipt: Receipt,
    points_needed: int = 0,
    statement: Rendered = _LOAD_WITH_LOTS,
    erased_too: bool = False,
    with_referrer: bool = False,
) -> Facts | Reply:
    """The facts, or the reply that this request got before.

    ``with_referrer``: lock the one who is paid by an open referral too; the other options are those of ``load``.
    """
    return load(
        tx,
        locks.lock_member(tx, {"card_id": card_id, **customer.parameters}, with_referrer=with_referrer),
        card_id=card_id,
        customer=customer,
        act=act,
        receipt=receipt,
        points_needed=points_needed,
        statement=statement,
        erased_too=erased_too,
    )


def load(
    tx: Transaction,
    locked: Locked,
    *,
    card_id: int,
    customer: CustomerName,
    act: Act,
    receipt: Receipt,
    points_needed: int = 0,
    statement: Rendered = _LOAD_WITH_LOTS,
    erased_too: bool = False,
    **more: Any,
) -> Facts | Reply:
    """As ``lock_and_load``, once ``locked`` and whatever else decides are locked.

    ``points_needed``: load lots that hold as many, by ``statement``, which ``load_with_lots`` made; ``more``: its
    own parameters. Raises ``NotFound`` for the card, then as ``people.identify``.
    """
    parameters = {"card_id": card_id, **customer.parameters, **receipt.parameters, **act.parameters, **more}
    if points_needed:
        needed = {"points_needed": points_needed, **lot_facts.spendable_at(act.at)}
        [loaded] = tx.run(statement, {**parameters, **needed})
    else:
        [loaded] = tx.run(_LOAD, parameters)
    if loaded.card_id is None:
        raise NotFound
    reply = stored_reply(loaded, act.request)
    if reply is not None:
        return reply
    profile = people.identify(tx, loaded, customer, erased_too=erased_too)
    if loaded.enrollment_id is not None and loaded.enrollment_id not in locked.enrollments:
        # Enrolled by someone else after our lock found nobody: what we see is not ours to change yet.
        raise Conflict
    return _facts(loaded, profile, locked=locked, lots=(loaded.lots or ()) if points_needed else (), at=act.at)


def look(
    tx: Transaction, *, card_id: int, customer: CustomerName, act: Act, receipt: Receipt, points_needed: int
) -> Facts:
    """The same facts for somebody who will write nothing: no lock, no id, no stored reply."""
    needed = {"points_needed": points_needed, **lot_facts.spendable_at(act.at)}
    parameters = {"card_id": card_id, **customer.parameters, **receipt.parameters, **act.parameters}
    [loaded] = tx.run(_LOOK, {**parameters, **needed})
    if loaded.card_id is None:
        raise NotFound
    return _facts(
        loaded, people.identify(tx, loaded, customer), locked=Locked(frozenset()), lots=loaded.lots or (), at=act.at
    )


def _facts(loaded: Any, profile: Mapping[str, Any], *, locked: Locked, lots: Any, at: datetime) -> Facts:
    enrollment = _enrollment(loaded)
    return Facts(
        card_id=loaded.card_id,
        card=_terms(loaded),
        customer=profile,
        member=Member(loaded.status, loaded.points_balance) if enrollment else None,
        enrollment=enrollment,
        version=loaded.version,
        earlier_id=loaded.earlier_id,
        transaction_id=loaded.transaction_id,
        locked=locked,
        # A home that is not known yet is asked for before anything is decided.
        lots=lot_facts.lots_alive(lots, at=at, time_zone=loaded.home_time_zone or "UTC"),
        loaded=loaded,
    )


def _enrollment(loaded: Any) -> Mapping[str, Any] | None:
    if loaded.enrollment_id is None:
        return None
    return {
        "id": loaded.enrollment_id,
        "customer_id": loaded.named_id,
        "loyalty_card_id": loaded.card_id,
        "member_number": loaded.member_number,
        "status": loaded.status,
        "points_balance": loaded.points_balance,
        "created_at": loaded.created_at,
        "updated_at": loaded.updated_at,
    }


def _terms(loaded: Any) -> CardTerms:
    earns = loaded.earn_points is not None
    return CardTerms(
        name=loaded.name,
        is_active=loaded.is_active,
        date_issued=loaded.date_issued,
        expiry_date=loaded.expiry_date,
        time_zone=loaded.home_time_zone,
        earn_rule=EarnRule(loaded.earn_spend_amount, loaded.earn_points, loaded.earn_currency) if earns else None,
        initial_bonus_points=loaded.initial_bonus_points,
        auto_enroll=loaded.auto_enroll,
        points_expire_after_months=loaded.points_expire_after_months,
    )
