"""What every decision about a claim is made from: locked first, in one order, then loaded.

The enrollment comes before the reward, for a claim and for its end alike, so that none waits for the other in a circle.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, bindparam, func, literal, literal_column, select
from sqlalchemy.types import BigInteger

from loyalty_common.database import Rendered, Transaction
from loyalty_common.errors import NotFound
from loyalty_common.idempotency import Reply, replay_columns, same_key
from loyalty_programs.domain import facts, locks, people, places
from loyalty_programs.domain.acts import Act, Receipt
from loyalty_programs.domain.facts import Facts
from loyalty_programs.domain.locks import Locked
from loyalty_programs.domain.people import CustomerName
from loyalty_programs.models import (
    enrollments,
    idempotency,
    loyalty_rewards,
    reward_claim_ids,
    reward_claims,
)

_TENANT = bindparam("tenant_id", type_=BigInteger)
_CARD = bindparam("card_id", type_=BigInteger)
_REWARD = bindparam("reward_id", type_=BigInteger)
_IS_CLAIM = and_(
    reward_claims.c.tenant_id == _TENANT,
    reward_claims.c.loyalty_card_id == _CARD,
    reward_claims.c.id == bindparam("claim_id", type_=BigInteger),
)

# The reward row is the lock of its stock: two claims of the last piece queue here.
_LOCK_REWARD = Rendered(
    select(*loyalty_rewards.c)
    .where(
        loyalty_rewards.c.tenant_id == _TENANT,
        loyalty_rewards.c.loyalty_card_id == _CARD,
        loyalty_rewards.c.id == _REWARD,
    )
    .with_for_update()
)
# What a claim is of and whose never changes; its status does, and is loaded once this is held.
_LOCK_MEMBER = Rendered(
    select(
        reward_claims.c.enrollment_id,
        reward_claims.c.customer_id,
        reward_claims.c.loyalty_reward_id,
        reward_claims.c.points_transaction_id,
    )
    .select_from(reward_claims)
    .join(
        enrollments,
        and_(enrollments.c.tenant_id == _TENANT, enrollments.c.id == reward_claims.c.enrollment_id),
    )
    .where(_IS_CLAIM)
    .with_for_update(of=enrollments)
)
_LOAD_NEW = facts.load_with_lots(
    reward_claim_ids.next_value().label("claim_id"),
    select(func.count())
    .select_from(reward_claims)
    .where(
        reward_claims.c.tenant_id == _TENANT,
        reward_claims.c.loyalty_card_id == _CARD,
        reward_claims.c.loyalty_reward_id == _REWARD,
        reward_claims.c.customer_id == people.CUSTOMERS.c.customer_id,
        reward_claims.c.status != literal_column("'cancelled'"),
    )
    .correlate(people.CUSTOMERS)
    .scalar_subquery()
    .label("claims_of_customer"),
)
_START = select(literal(1).label("one")).subquery("start")
_LOAD = select(
    *replay_columns(idempotency), places.SALE.c.partner_location_id.label("sale_location_id"), *reward_claims.c
).select_from(
    _START.outerjoin(idempotency, same_key(idempotency))
    .outerjoin(places.SALE, places.IS_NAMED)
    .join(reward_claims, _IS_CLAIM)
)


def lock_and_load_new(
    tx: Transaction, *, card_id: int, reward_id: int, customer: CustomerName, receipt: Receipt, act: Act
) -> tuple[Facts, Any] | Reply:
    """The facts, with ``claim_id`` and ``claims_of_customer`` loaded, and the reward; or the reply of this key."""
    locked = locks.lock_member(tx, {"card_id": card_id, **customer.parameters}, with_referrer=False)
    reward = lock_reward(tx, card_id=card_id, reward_id=reward_id)
    found = facts.load(
        tx,
        locked,
        card_id=card_id,
        customer=customer,
        act=act,
        receipt=receipt,
        points_needed=reward.points_cost,
        statement=_LOAD_NEW,
        reward_id=reward_id,
    )
    return found if isinstance(found, Reply) else (found, reward)


def lock_reward(tx: Transaction, *, card_id: int, reward_id: int) -> Any:
    """Its columns as they are now; ``NotFound``."""
    locked = tx.run(_LOCK_REWARD, {"card_id": card_id, "reward_id": reward_id})
    if not locked:
        raise NotFound
    return locked[0]


def lock_member(tx: Transaction, *, card_id: int, claim_id: int) -> Any:
    """Locks the enrollment that the claim belongs to; what of the claim never changes. ``NotFound``."""
    locked = tx.run(_LOCK_MEMBER, {"card_id": card_id, "claim_id": claim_id})
    if not locked:
        raise NotFound
    return locked[0]


def load(tx: Transaction, *, card_id: int, claim_id: int, partner_location_id: int | None, act: Act) -> Any:
    """The claim as it is under the lock, the stored reply of this key and the location that is named."""
    named = {"card_id": card_id, "claim_id": claim_id, "partner_location_id": partner_location_id}
    return tx.execute(_LOAD, {**named, **act.parameters}).one()


def load_member(tx: Transaction, *, card_id: int, locked: Any, receipt: Receipt, act: Act) -> Facts | Reply:
    """What is needed to change the balance of the claim's member, who is ``locked``."""
    return facts.load(
        tx,
        Locked(frozenset([locked.enrollment_id])),
        card_id=card_id,
        customer=CustomerName(customer_id=locked.customer_id),
        act=act,
        receipt=receipt,
        erased_too=True,
    )
