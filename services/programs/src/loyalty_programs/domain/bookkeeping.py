"""The only writer of the ledger: entries become rows, their events and the reply, all in one statement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table

from loyalty_common.database import Transaction
from loyalty_common.idempotency import Reply, idempotency_row
from loyalty_common.messaging.outbox import outbox_row
from loyalty_common.record import Record
from loyalty_programs.domain import shapes
from loyalty_programs.domain.acts import Act, Receipt
from loyalty_programs.domain.facts import Facts
from loyalty_programs.domain.ledger import Entry
from loyalty_programs.events import BalanceCorrected, CustomerEnrolled, Event, PointsEarned
from loyalty_programs.models import enrollments, idempotency, lot_spends, outbox, points_transactions

Columns = dict[str, Any]
_BALANCE = (enrollments, ("points_balance", "updated_at"))
_BOOKED = (points_transactions, outbox, idempotency)

_RECORD_GAIN = Record(guard=_BALANCE, inserts=_BOOKED)
_RECORD_LOSS = Record(
    guard=_BALANCE, changes={points_transactions: ("points_remaining",)}, inserts=(*_BOOKED, lot_spends)
)
_RECORD_ENROLLMENT = Record(inserts=(enrollments, *_BOOKED))


@dataclass(frozen=True, slots=True)
class NewEnrollment:
    """An enrollment that comes into being with the entries, and the card as it is shown."""

    columns: Columns
    card: Mapping[str, Any]


def book(
    tx: Transaction,
    facts: Facts,
    entries: Sequence[Entry],
    *,
    ids: Sequence[int],
    receipt: Receipt,
    act: Act,
    reply: Callable[[Sequence[Columns]], Reply],
    new: NewEnrollment | None = None,
) -> Reply:
    """Write the entries under ascending ``ids``; ``reply`` makes the answer from the rows as they are shown.

    The last entry is what was asked for and takes the receipt's reference; with ``new`` those before it, or all
    of them where the receipt is for no operation, are the bonus.
    """
    rows = _rows(entries, ids, facts, new, receipt=receipt, act=act)
    shown = [shapes.transaction(row) for row in rows]
    events = [_balance_event(transaction, facts, act) for transaction in shown if transaction["points_delta"]]
    if new is not None:
        events.insert(0, _enrolled(new, facts, act, bonus=shown[:-1] if receipt.operation else shown))
    answer = reply(shown)
    inserts = {
        points_transactions: rows,
        outbox: [outbox_row(event=event.name, data=event.data(), created_at=act.at) for event in events],
        idempotency: [idempotency_row(act.request, answer, at=act.at)],
    }
    if new is not None:
        _RECORD_ENROLLMENT.write(tx, {**inserts, enrollments: [new.columns]})
    else:
        _record(tx, facts, entries, inserts)
    return answer


def _record(
    tx: Transaction, facts: Facts, entries: Sequence[Entry], inserts: Mapping[Table, Sequence[Columns]]
) -> None:
    rows = inserts[points_transactions]
    guard = {
        "id": rows[-1]["enrollment_id"],
        "version": facts.version,
        "points_balance": rows[-1]["points_balance_after"],
        "updated_at": rows[-1]["recorded_at"],
    }
    takings = [(row["id"], taking) for row, entry in zip(rows, entries, strict=True) for taking in entry.takings]
    if not takings:
        _RECORD_GAIN.write(tx, inserts, guard=[guard])
        return
    spends = [
        {"transaction_id": row_id, "lot_transaction_id": taking.lot.transaction_id, "points": taking.points}
        for row_id, taking in takings
    ]
    lots = [{"id": taking.lot.transaction_id, "points_remaining": taking.points_remaining} for _, taking in takings]
    _RECORD_LOSS.write(tx, {**inserts, lot_spends: spends}, guard=[guard], changes={points_transactions: lots})


def _rows(
    entries: Sequence[Entry],
    ids: Sequence[int],
    facts: Facts,
    new: NewEnrollment | None,
    *,
    receipt: Receipt,
    act: Act,
) -> list[Columns]:
    enrollment = new.columns if new is not None else facts.enrollment or {}
    common = {
        "loyalty_card_id": facts.card_id,
        "enrollment_id": enrollment["id"],
        "customer_id": enrollment["customer_id"],
        "operation": None,
        "reference": None,
        "partner_location_id": None,
        "notes": None,
        "source": act.source,
        "reverses_transaction_id": None,
        "redemption_id": None,
        "reward_claim_id": None,
        "referral_id": None,
        "occurred_at": receipt.occurred_at,
        "recorded_at": act.at,
    }
    rows = [{**common, **_columns(entry), "id": row_id} for entry, row_id in zip(entries, ids, strict=True)]
    if receipt.operation is not None:
        rows[-1] |= {**receipt.parameters, "notes": receipt.notes}
    return rows


def _columns(entry: Entry) -> Columns:
    return {
        "type": entry.type,
        "points_delta": entry.points_delta,
        "points_balance_after": entry.points_balance_after,
        "points_remaining": entry.points_remaining,
        "expires_on": entry.expires_on,
        "amount": entry.amount,
        "currency": entry.currency,
    }


def _balance_event(transaction: Columns, facts: Facts, act: Act) -> Event:
    """Exactly one for every row that changes the balance."""
    if transaction["points_delta"] > 0:
        return PointsEarned(transaction=transaction, customer=facts.customer, source=act.source)
    balance = {"points_balance": transaction["points_balance_after"], "updated_at": act.at}
    return BalanceCorrected(
        enrollment=shapes.enrollment({**(facts.enrollment or {}), **balance}),
        transaction=transaction,
        customer=facts.customer,
        source=act.source,
    )


def _enrolled(new: NewEnrollment, facts: Facts, act: Act, *, bonus: Sequence[Columns]) -> Event:
    balance = bonus[-1]["points_balance_after"] if bonus else 0
    return CustomerEnrolled(
        enrollment=shapes.enrollment({**new.columns, "points_balance": balance}),
        initial_bonus_transactions=bonus,
        loyalty_card=new.card,
        customer=facts.customer,
        source=act.source,
    )
