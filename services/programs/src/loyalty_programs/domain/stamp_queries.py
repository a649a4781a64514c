"""Reads of a stamp card: its ledger, its rewards, how far a customer is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, Row, ScalarSelect, Select, and_, bindparam, func, literal, select

from loyalty_common.database import Transaction
from loyalty_common.errors import NotFound
from loyalty_programs.domain import people, shapes
from loyalty_programs.domain.acts import BACK
from loyalty_programs.domain.people import CustomerName
from loyalty_programs.domain.queries import happened_between, names_customer
from loyalty_programs.models import stamp_cards, stamp_memberships, stamp_rewards, stamp_transactions

_TENANT = bindparam("tenant_id", type_=BigInteger)
_CARD = bindparam("stamp_card_id", type_=BigInteger)
_START = select(literal(1).label("one")).subquery("start")

STAMPS_NEWEST = (stamp_transactions.c.recorded_at, stamp_transactions.c.id)
REWARDS_NEWEST = (stamp_rewards.c.created_at, stamp_rewards.c.id)

_STAMP = select(stamp_transactions).where(
    stamp_transactions.c.tenant_id == _TENANT,
    stamp_transactions.c.stamp_card_id == _CARD,
    stamp_transactions.c.id == bindparam("stamp_id"),
)
_REWARD = select(stamp_rewards).where(
    stamp_rewards.c.tenant_id == _TENANT,
    stamp_rewards.c.stamp_card_id == _CARD,
    stamp_rewards.c.id == bindparam("stamp_reward_id"),
)


def stamp(tx: Transaction, *, stamp_card_id: int, stamp_id: int) -> Row[Any] | None:
    return tx.execute(_STAMP, {"stamp_card_id": stamp_card_id, "stamp_id": stamp_id}).one_or_none()


def stamp_reward(tx: Transaction, *, stamp_card_id: int, stamp_reward_id: int) -> Row[Any] | None:
    return tx.execute(_REWARD, {"stamp_card_id": stamp_card_id, "stamp_reward_id": stamp_reward_id}).one_or_none()


def stamps(*, stamp_card_id: int, filters: Mapping[str, Any], time_zone: str) -> Select[Any]:
    """``from`` and ``to`` are about when it happened; a date without a time is the whole local day, at both ends."""
    ledger = stamp_transactions.c
    rows = select(stamp_transactions).where(ledger.tenant_id == _TENANT, ledger.stamp_card_id == stamp_card_id)
    if _name_somebody(filters):
        rows = rows.where(ledger.stamp_membership_id == _membership_of(stamp_card_id, filters))
    if filters["reference"] is not None:
        # Both operations, so that the index of references leads there.
        rows = rows.where(ledger.reference == filters["reference"], ledger.operation.in_(("stamps", "reverse")))
    if filters["type"] is not None:
        rows = rows.where(ledger.type == filters["type"])
    happened = happened_between(filters, time_zone, ledger.occurred_at, recorded_at=ledger.recorded_at, late=BACK)
    return rows.where(*happened)


def stamp_rewards_of(*, stamp_card_id: int, filters: Mapping[str, Any]) -> Select[Any]:
    reward = stamp_rewards.c
    rows = select(stamp_rewards).where(reward.tenant_id == _TENANT, reward.stamp_card_id == stamp_card_id)
    if _name_somebody(filters):
        rows = rows.where(reward.stamp_membership_id == _membership_of(stamp_card_id, filters))
    if filters["status"] is not None:
        rows = rows.where(reward.status == filters["status"])
    return rows


def _name_somebody(filters: Mapping[str, Any]) -> bool:
    return filters["customer_id"] is not None or filters["customer_email"] is not None


def _membership_of(stamp_card_id: int, filters: Mapping[str, Any]) -> ScalarSelect[int]:
    """One value, so that an index gives its rows in their order."""
    membership = stamp_memberships.c
    named = names_customer(membership.customer_id, filters)
    return (
        select(membership.id)
        .where(membership.tenant_id == _TENANT, membership.stamp_card_id == stamp_card_id, *named)
        .scalar_subquery()
    )


def _count_of(status: str) -> Any:
    return (
        select(func.count())
        .select_from(stamp_rewards)
        .where(
            stamp_rewards.c.tenant_id == _TENANT,
            stamp_rewards.c.stamp_membership_id == stamp_memberships.c.id,
            stamp_rewards.c.status == status,
        )
        .correlate(stamp_memberships)
        .scalar_subquery()
    )


_LAST_STAMPED_AT = (
    select(func.max(stamp_transactions.c.occurred_at))
    .where(
        stamp_transactions.c.tenant_id == _TENANT,
        stamp_transactions.c.stamp_membership_id == stamp_memberships.c.id,
        stamp_transactions.c.type == "earn",
    )
    .correlate(stamp_memberships)
    .scalar_subquery()
)
_PROGRESS = select(
    *people.COLUMNS,
    people.CUSTOMERS.c.customer_id,
    stamp_cards.c.id.label("stamp_card_id"),
    stamp_cards.c.stamps_required_for_reward,
    stamp_memberships.c.stamps_balance,
    _count_of("unlocked").label("rewards_unlocked"),
    _count_of("fulfilled").label("rewards_fulfilled"),
    _LAST_STAMPED_AT.label("last_stamped_at"),
).select_from(
    _START.outerjoin(stamp_cards, and_(stamp_cards.c.tenant_id == _TENANT, stamp_cards.c.id == _CARD))
    .outerjoin(people.CUSTOMERS, people.IS_NAMED)
    .outerjoin(
        stamp_memberships,
        and_(
            stamp_memberships.c.tenant_id == _TENANT,
            stamp_memberships.c.stamp_card_id == _CARD,
            stamp_memberships.c.customer_id == people.CUSTOMERS.c.customer_id,
        ),
    )
)


def progress(tx: Transaction, *, stamp_card_id: int, customer: CustomerName) -> dict[str, Any]:
    """How far the customer is, zeros for one who was never stamped; ``NotFound``, or as ``people.identify``."""
    loaded = tx.execute(_PROGRESS, {"stamp_card_id": stamp_card_id, **customer.parameters}).one()
    if loaded.stamp_card_id is None:
        raise NotFound
    people.identify(tx, loaded, customer)
    return shapes.stamp_progress(loaded._asdict())
