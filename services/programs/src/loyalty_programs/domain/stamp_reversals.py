"""Merchants take the stamps of a purchase back. What becomes of rewards: ``unstamping``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from loyalty_common.database import Transaction
from loyalty_common.idempotency import Reply, idempotency_row
from loyalty_common.messaging.outbox import outbox_row
from loyalty_common.record import Record
from loyalty_programs.domain import people, queries, shapes, unstamping
from loyalty_programs.domain.acts import Act, Receipt
from loyalty_programs.domain.errors import AlreadyReversed, DuplicateReference, NotReversible
from loyalty_programs.domain.people import CustomerName
from loyalty_programs.domain.replies import answer_only
from loyalty_programs.domain.stamp_reversal_facts import draw_ids, lock_and_load
from loyalty_programs.domain.unstamping import EarlierReward, Reversal
from loyalty_programs.events import StampsReversed
from loyalty_programs.models import idempotency, outbox, stamp_memberships, stamp_rewards, stamp_transactions

Columns = dict[str, Any]
_RECORD = Record(
    guard=(stamp_memberships, ("stamps_balance", "updated_at")),
    changes={stamp_rewards: ("status", "revoked_at")},
    inserts=(stamp_transactions, outbox, idempotency),
)


def reverse(tx: Transaction, *, stamp_card_id: int, stamp_id: int, receipt: Receipt, act: Act) -> Reply:
    """Rows that undo an ``earn`` row (201); for the same ``reference`` again the first rows (200).

    The first row takes the stamps, each further one gives back those of a reward that is revoked. The card's window
    and whether it is active do not matter.
    """
    loaded = lock_and_load(tx, stamp_card_id=stamp_card_id, stamp_id=stamp_id, receipt=receipt, act=act)
    if isinstance(loaded, Reply):
        return loaded
    if loaded.earlier_id is not None:
        return answer_only(tx, _repetition(tx, loaded, receipt), act)
    if loaded.type != "earn":
        raise NotReversible("Only the stamps of a purchase can be taken back.")
    if loaded.reversal_id is not None:
        raise AlreadyReversed("These stamps were taken back already.")
    customer = people.identify(tx, loaded, CustomerName(customer_id=loaded.customer_id))
    rewards = [EarlierReward(**reward) for reward in loaded.rewards or ()]
    reversal = unstamping.unstamp(loaded.stamps_delta, stamps_balance=loaded.stamps_balance, rewards=rewards)
    rows = _rows(loaded, reversal, draw_ids(tx, count=len(reversal.revoked)), receipt=receipt, act=act)
    return _record(tx, loaded, rows, reversal, customer=customer, act=act)


def _rows(loaded: Any, reversal: Reversal, drawn: Sequence[int], *, receipt: Receipt, act: Act) -> list[Columns]:
    common = {
        **receipt.parameters,
        "stamp_card_id": loaded.stamp_card_id,
        "stamp_membership_id": loaded.stamp_membership_id,
        "customer_id": loaded.customer_id,
        "source": act.source,
        "occurred_at": receipt.occurred_at,
        "recorded_at": act.at,
    }
    taken = {
        **{name: getattr(loaded, name) for name in ("quantity", "amount", "currency")},
        "id": loaded.next_id,
        "notes": receipt.notes,
        "stamp_reward_id": None,
        "reverses_stamp_id": loaded.id,
    }
    nothing = dict.fromkeys(("quantity", "amount", "currency", "notes"))
    given_back = [
        {**nothing, "id": row_id, "stamp_reward_id": reward.reward_id, "reverses_stamp_id": reward.stamp_id}
        for row_id, reward in zip(drawn, reversal.revoked, strict=True)
    ]
    return [
        {**common, **own, **asdict(entry), "position": position}
        for position, (entry, own) in enumerate(zip(reversal.entries, [taken, *given_back], strict=True))
    ]


def _record(
    tx: Transaction,
    loaded: Any,
    rows: Sequence[Columns],
    reversal: Reversal,
    *,
    customer: Mapping[str, Any],
    act: Act,
) -> Reply:
    shown = [shapes.stamp(row) for row in rows]
    event = StampsReversed(stamps=shown, customer=customer, source=act.source)
    reply = Reply(201, shown)
    inserts = {
        stamp_transactions: rows,
        outbox: [outbox_row(event=event.name, data=event.data(), created_at=act.at)],
        idempotency: [idempotency_row(act.request, reply, at=act.at)],
    }
    guard = {
        "id": loaded.stamp_membership_id,
        "version": loaded.version,
        "stamps_balance": rows[-1]["stamps_balance_after"],
        "updated_at": act.at,
    }
    revoked = [{"id": reward.reward_id, "status": "revoked", "revoked_at": act.at} for reward in reversal.revoked]
    _RECORD.write(tx, inserts, guard=[guard], changes={stamp_rewards: revoked})
    return reply


def _repetition(tx: Transaction, loaded: Any, receipt: Receipt) -> Reply:
    """The rows that this reference wrote first, if they reversed the same."""
    operation, reference = receipt.operation or "", receipt.reference or ""
    rows = queries.stamps_of_reference(tx, stamp_card_id=loaded.stamp_card_id, operation=operation, reference=reference)
    if rows[0].reverses_stamp_id != loaded.id:
        raise DuplicateReference(reference)
    return Reply(200, [shapes.stamp(row._asdict()) for row in rows], meta={"duplicate": True})
