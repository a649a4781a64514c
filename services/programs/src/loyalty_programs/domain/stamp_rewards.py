"""Merchants hand out the rewards of full stamp cards."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import and_, bindparam, literal_column, select
from sqlalchemy.types import BigInteger

from loyalty_common.database import Rendered, Transaction
from loyalty_common.errors import NotFound
from loyalty_common.idempotency import Reply, idempotency_row, replay_columns, same_key, stored_reply
from loyalty_common.messaging.outbox import outbox_row
from loyalty_common.record import Record
from loyalty_programs.domain import fulfilling, people, places, shapes
from loyalty_programs.domain.acts import Act
from loyalty_programs.domain.people import CustomerName
from loyalty_programs.domain.replies import answer_only
from loyalty_programs.events import StampRewardFulfilled
from loyalty_programs.models import idempotency, outbox, stamp_memberships, stamp_rewards

_TENANT = bindparam("tenant_id", type_=BigInteger)
_IS_REWARD = and_(
    stamp_rewards.c.tenant_id == _TENANT,
    stamp_rewards.c.stamp_card_id == bindparam("stamp_card_id", type_=BigInteger),
    stamp_rewards.c.id == bindparam("stamp_reward_id", type_=BigInteger),
)
_ITS_MEMBERSHIP = and_(
    stamp_memberships.c.tenant_id == _TENANT, stamp_memberships.c.id == stamp_rewards.c.stamp_membership_id
)
_ITS_CUSTOMER = and_(
    people.CUSTOMERS.c.tenant_id == _TENANT, people.CUSTOMERS.c.customer_id == stamp_rewards.c.customer_id
)
_START = select(literal_column("1").label("one")).subquery("start")

# The membership, not the reward: a reversal that would revoke it queues there too.
_LOCK = Rendered(
    select(stamp_memberships.c.id)
    .select_from(stamp_rewards.join(stamp_memberships, _ITS_MEMBERSHIP))
    .where(_IS_REWARD)
    .with_for_update(of=stamp_memberships)
)
_LOAD = Rendered(
    select(
        *replay_columns(idempotency),
        *people.COLUMNS,
        places.SALE.c.partner_location_id.label("sale_location_id"),
        *stamp_rewards.c,
        stamp_memberships.c.version,
    ).select_from(
        _START.outerjoin(idempotency, same_key(idempotency))
        .outerjoin(places.SALE, places.IS_NAMED)
        .outerjoin(stamp_rewards, _IS_REWARD)
        .outerjoin(stamp_memberships, _ITS_MEMBERSHIP)
        .outerjoin(people.CUSTOMERS, _ITS_CUSTOMER)
    )
)
_HANDED_OUT = ("status", "order_reference", "partner_location_id", "notes", "fulfilled_at")
_RECORD = Record(
    guard=(stamp_memberships, ("updated_at",)), changes={stamp_rewards: _HANDED_OUT}, inserts=(outbox, idempotency)
)


@dataclass(frozen=True, slots=True)
class HandOut:
    """To which order, where. ``order_reference`` makes it once: the same order again is told what it was told first."""

    order_reference: str | None
    partner_location_id: int | None
    notes: str | None


def fulfill(tx: Transaction, *, stamp_card_id: int, stamp_reward_id: int, hand_out: HandOut, act: Act) -> Reply:
    """The reward, fulfilled (200). The card's window and whether it is active do not matter: it was earned."""
    named = {"stamp_card_id": stamp_card_id, "stamp_reward_id": stamp_reward_id}
    tx.run(_LOCK, named)
    [loaded] = tx.run(_LOAD, {**named, "partner_location_id": hand_out.partner_location_id, **act.parameters})
    if loaded.id is None:
        raise NotFound
    reply = stored_reply(loaded, act.request)
    if reply is not None:
        return reply
    reward = loaded._asdict()
    if fulfilling.was_fulfilled(
        status=loaded.status, fulfilled_by=loaded.order_reference, order_reference=hand_out.order_reference
    ):
        return answer_only(tx, Reply(200, shapes.stamp_reward(reward), meta={"duplicate": True}), act)
    customer = people.identify(tx, loaded, CustomerName(customer_id=loaded.customer_id))
    if hand_out.partner_location_id is not None and loaded.sale_location_id is None:
        raise places.missing(hand_out.partner_location_id)
    changes = {**asdict(hand_out), "status": "fulfilled", "fulfilled_at": act.at}
    shown = shapes.stamp_reward(reward | changes)
    event = StampRewardFulfilled(reward=shown, customer=customer, source=act.source)
    reply = Reply(200, shown)
    inserts: dict[Any, list[dict[str, Any]]] = {
        outbox: [outbox_row(event=event.name, data=event.data(), created_at=act.at)],
        idempotency: [idempotency_row(act.request, reply, at=act.at)],
    }
    guard = {"id": loaded.stamp_membership_id, "version": loaded.version, "updated_at": act.at}
    _RECORD.write(tx, inserts, guard=[guard], changes={stamp_rewards: [{"id": stamp_reward_id, **changes}]})
    return reply
