"""Customers collect stamps; full cards unlock rewards. The only writer of the stamps ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, bindparam, func, select
from sqlalchemy.types import Integer

from loyalty_common.database import Transaction
from loyalty_common.idempotency import Reply, idempotency_row
from loyalty_common.messaging.outbox import outbox_row
from loyalty_common.record import Record
from loyalty_programs.domain import places, queries, shapes, stamping
from loyalty_programs.domain.acts import Act, Receipt
from loyalty_programs.domain.errors import DuplicateReference
from loyalty_programs.domain.people import CustomerName
from loyalty_programs.domain.replies import answer_only
from loyalty_programs.domain.stamp_facts import StampFacts, lock_and_load
from loyalty_programs.domain.stamping import StampEntry
from loyalty_programs.events import StampsIssued
from loyalty_programs.models import (
    idempotency,
    outbox,
    stamp_membership_ids,
    stamp_memberships,
    stamp_reward_ids,
    stamp_rewards,
    stamp_transaction_ids,
    stamp_transactions,
)

Columns = dict[str, Any]
_STAMPED = (stamp_transactions, stamp_rewards, outbox, idempotency)

_RECORD = Record(guard=(stamp_memberships, ("stamps_balance", "updated_at")), inserts=_STAMPED)
_RECORD_JOINING = Record(inserts=(stamp_memberships, *_STAMPED))
# How many rewards there are is only known after deciding: their ids are drawn in a statement of their own.
_DRAW = select(
    stamp_transaction_ids.next_value().label("stamp_id"), stamp_reward_ids.next_value().label("reward_id")
).select_from(func.generate_series(1, bindparam("count", type_=Integer)).table_valued("number"))
_DRAW_MEMBERSHIP = select(stamp_membership_ids.next_value())


@dataclass(frozen=True, slots=True)
class StampOrder:
    """``quantity``: the items that each earn the card's stamps. ``amount`` and ``currency`` are for the record only."""

    quantity: int
    amount: Decimal | None
    currency: str | None


def issue(
    tx: Transaction, *, stamp_card_id: int, customer: CustomerName, order: StampOrder, receipt: Receipt, act: Act
) -> Reply:
    """Stamps, and rewards for full cards (201); for the same ``reference`` again the first rows (200).

    A customer joins by the first stamp: of two at once one violates the unique membership and runs again.
    """
    facts = lock_and_load(tx, stamp_card_id=stamp_card_id, customer=customer, receipt=receipt, act=act)
    if isinstance(facts, Reply):
        return facts
    if facts.earlier_id is not None:
        return answer_only(tx, _repetition(tx, facts, order, receipt), act)
    places.check_known(facts.loaded, partner_location_id=receipt.partner_location_id)
    entries = stamping.stamp(
        facts.card,
        stamps_balance=facts.stamps_balance,
        quantity=order.quantity,
        occurred_at=receipt.occurred_at,
    )
    drawn = tx.execute(_DRAW, {"count": len(entries) - 1}).all() if len(entries) > 1 else []
    membership_id = facts.membership_id or tx.execute(_DRAW_MEMBERSHIP).scalar_one()
    common = {
        "stamp_card_id": facts.stamp_card_id,
        "stamp_membership_id": membership_id,
        "customer_id": facts.customer["id"],
    }
    rows = [common | row for row in _rows(entries, facts, drawn, order=order, receipt=receipt, act=act)]
    rewards = [common | _reward(row.reward_id, facts, receipt=receipt, act=act) for row in drawn]
    return _record(tx, facts, rows, rewards, act)


def _rows(
    entries: Sequence[StampEntry],
    facts: StampFacts,
    drawn: Sequence[Row[Any]],
    *,
    order: StampOrder,
    receipt: Receipt,
    act: Act,
) -> list[Columns]:
    """One row per entry: the first is what was bought, each of the others a reward."""
    common = {
        **receipt.parameters,
        "source": act.source,
        "reverses_stamp_id": None,
        "occurred_at": receipt.occurred_at,
        "recorded_at": act.at,
    }
    bought = {**asdict(order), "id": facts.stamp_id, "notes": receipt.notes, "stamp_reward_id": None}
    nothing = dict.fromkeys(("quantity", "amount", "currency", "notes"))
    rewards = [{**nothing, "id": row.stamp_id, "stamp_reward_id": row.reward_id} for row in drawn]
    return [
        {**common, **own, **asdict(entry), "position": position}
        for position, (entry, own) in enumerate(zip(entries, [bought, *rewards], strict=True))
    ]


def _reward(reward_id: int, facts: StampFacts, *, receipt: Receipt, act: Act) -> Columns:
    return {
        "id": reward_id,
        "title": facts.reward_title,
        "status": "unlocked",
        "order_reference": None,
        "partner_location_id": None,
        "notes": None,
        "unlocked_at": receipt.occurred_at,
        "fulfilled_at": None,
        "revoked_at": None,
        "created_at": act.at,
    }


def _record(tx: Transaction, facts: StampFacts, rows: Sequence[Columns], rewards: Sequence[Columns], act: Act) -> Reply:
    shown = [shapes.stamp(row) for row in rows]
    event = StampsIssued(
        stamps=shown,
        stamps_required_for_reward=facts.card.stamps_required_for_reward,
        rewards_unlocked=[shapes.stamp_reward(reward) for reward in rewards],
        customer=facts.customer,
        source=act.source,
    )
    reply = Reply(201, shown)
    inserts = {
        stamp_transactions: rows,
        stamp_rewards: rewards,
        outbox: [outbox_row(event=event.name, data=event.data(), created_at=act.at)],
        idempotency: [idempotency_row(act.request, reply, at=act.at)],
    }
    balance = {"stamps_balance": rows[-1]["stamps_balance_after"], "updated_at": act.at}
    if facts.membership_id is not None:
        _RECORD.write(tx, inserts, guard=[{"id": facts.membership_id, "version": facts.version, **balance}])
        return reply
    joining = {
        "id": rows[0]["stamp_membership_id"],
        "stamp_card_id": facts.stamp_card_id,
        "customer_id": facts.customer["id"],
        "created_at": act.at,
    }
    _RECORD_JOINING.write(tx, {**inserts, stamp_memberships: [joining | balance]})
    return reply


def _repetition(tx: Transaction, facts: StampFacts, order: StampOrder, receipt: Receipt) -> Reply:
    """The rows that this reference wrote first, if it was for the same."""
    reference = receipt.reference or ""
    rows = queries.stamps_of_reference(
        tx, stamp_card_id=facts.stamp_card_id, operation=receipt.operation or "", reference=reference
    )
    first = rows[0]
    if first.customer_id != facts.customer["id"] or _order_of(first) != order:
        raise DuplicateReference(reference)
    meta = {"duplicate": True, "reversed": True} if first.was_reversed else {"duplicate": True}
    return Reply(200, [shapes.stamp(row._asdict()) for row in rows], meta=meta)


def _order_of(row: Row[Any]) -> StampOrder:
    return StampOrder(quantity=row.quantity, amount=row.amount, currency=row.currency)
