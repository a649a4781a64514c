"""What every decision about a customer's stamps is made from: locked first, then loaded in one statement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, literal_column, select
from sqlalchemy.types import BigInteger, Text

from loyalty_common.database import Conflict, Rendered, Transaction
from loyalty_common.errors import NotFound
from loyalty_common.idempotency import Reply, replay_columns, same_key, stored_reply
from loyalty_programs.domain import people, places
from loyalty_programs.domain.acts import Act, Receipt
from loyalty_programs.domain.people import CustomerName
from loyalty_programs.domain.stamping import StampCardTerms
from loyalty_programs.models import (
    idempotency,
    stamp_cards,
    stamp_memberships,
    stamp_transaction_ids,
    stamp_transactions,
)

_TENANT = bindparam("tenant_id", type_=BigInteger)
_CARD = bindparam("stamp_card_id", type_=BigInteger)
_START = select(literal_column("1").label("one")).subquery("start")

# The membership row is the lock of its stamps: two purchases at once queue here.
_LOCK = Rendered(
    select(stamp_memberships.c.id)
    .where(
        stamp_memberships.c.tenant_id == _TENANT,
        stamp_memberships.c.stamp_card_id == _CARD,
        stamp_memberships.c.customer_id == people.NAMED_ID,
    )
    .with_for_update()
)

_FACTS = select(
    *replay_columns(idempotency),
    *people.COLUMNS,
    *places.COLUMNS,
    stamp_cards.c.id.label("stamp_card_id"),
    stamp_cards.c.partner_location_id.label("home_location_id"),
    stamp_cards.c.name,
    stamp_cards.c.is_active,
    stamp_cards.c.stamps_required_for_reward,
    stamp_cards.c.stamps_per_purchase,
    stamp_cards.c.valid_from,
    stamp_cards.c.valid_until,
    stamp_cards.c.reward_title,
    stamp_memberships.c.id.label("membership_id"),
    stamp_memberships.c.stamps_balance,
    stamp_memberships.c.version,
    stamp_transactions.c.id.label("earlier_id"),
    # Drawn under the lock, so that ids order the ledger.
    stamp_transaction_ids.next_value().label("stamp_id"),
).select_from(
    _START.outerjoin(idempotency, same_key(idempotency))
    .outerjoin(stamp_cards, and_(stamp_cards.c.tenant_id == _TENANT, stamp_cards.c.id == _CARD))
    .outerjoin(places.HOME, places.is_home_of(stamp_cards))
    .outerjoin(places.SALE, places.IS_NAMED)
    .outerjoin(people.CUSTOMERS, people.IS_NAMED)
    .outerjoin(
        stamp_memberships,
        and_(
            stamp_memberships.c.tenant_id == _TENANT,
            stamp_memberships.c.stamp_card_id == _CARD,
            stamp_memberships.c.customer_id == people.CUSTOMERS.c.customer_id,
        ),
    )
    .outerjoin(
        stamp_transactions,
        and_(
            stamp_transactions.c.tenant_id == _TENANT,
            stamp_transactions.c.stamp_card_id == _CARD,
            stamp_transactions.c.operation == bindparam("operation", type_=Text),
            stamp_transactions.c.reference == bindparam("reference", type_=Text),
            stamp_transactions.c.position == literal_column("0"),
        ),
    )
)


_LOAD = Rendered(_FACTS)


@dataclass(frozen=True, slots=True)
class StampFacts:
    """``membership_id`` is None for a customer without a stamp on this card; ``earlier_id`` has the same reference."""

    stamp_card_id: int
    card: StampCardTerms
    reward_title: str
    customer: Mapping[str, Any]
    membership_id: int | None
    stamps_balance: int
    version: int | None
    earlier_id: int | None
    stamp_id: int
    loaded: Any


def lock_and_load(
    tx: Transaction, *, stamp_card_id: int, customer: CustomerName, receipt: Receipt, act: Act
) -> StampFacts | Reply:
    """The facts, or the reply that this request got before; ``NotFound`` for the card."""
    named = {"stamp_card_id": stamp_card_id, **customer.parameters}
    locked = tx.run(_LOCK, named)
    [loaded] = tx.run(_LOAD, {**named, **receipt.parameters, **act.parameters})
    if loaded.stamp_card_id is None:
        raise NotFound
    reply = stored_reply(loaded, act.request)
    if reply is not None:
        return reply
    profile = people.identify(tx, loaded, customer)
    if loaded.membership_id != (locked[0].id if locked else None):
        # Joined by another purchase after our lock found nobody: what we see is not ours to change yet.
        raise Conflict
    return _facts(loaded, profile)


def _facts(loaded: Any, profile: Mapping[str, Any]) -> StampFacts:
    return StampFacts(
        stamp_card_id=loaded.stamp_card_id,
        card=StampCardTerms(
            name=loaded.name,
            is_active=loaded.is_active,
            stamps_required_for_reward=loaded.stamps_required_for_reward,
            stamps_per_purchase=loaded.stamps_per_purchase,
            valid_from=loaded.valid_from,
            valid_until=loaded.valid_until,
            time_zone=loaded.home_time_zone,
        ),
        reward_title=loaded.reward_title,
        customer=profile,
        membership_id=loaded.membership_id,
        stamps_balance=loaded.stamps_balance or 0,
        version=loaded.version,
        earlier_id=loaded.earlier_id,
        stamp_id=loaded.stamp_id,
        loaded=loaded,
    )
