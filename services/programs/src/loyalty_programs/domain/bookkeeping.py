"""The only writer of the ledger: entries become rows, their events and the reply, all in one statement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
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
from loyalty_programs.domain.ledger_rows import (
    Account,
    Columns,
    balance_event,
    balance_row,
    ledger_row,
    lot_rows,
    spend_rows,
)
from loyalty_programs.events import CustomerEnrolled, Event
from loyalty_programs.models import enrollments, idempotency, lot_spends, outbox, points_transactions

_BALANCE = (enrollments, ("points_balance", "updated_at"))
_BOOKED = (points_transactions, outbox, idempotency)


def record_with(*, inserts: Sequence[Table] = (), changes: Mapping[Table, Sequence[str]] | None = None) -> Record:
    """The statement of an ``Occasion``, to be built at import: entries, their lots and what else it names."""
    lots = {points_transactions: ("points_remaining",)}
    return Record(guard=_BALANCE, changes={**lots, **(changes or {})}, inserts=(*_BOOKED, lot_spends, *inserts))


_RECORD_GAIN = Record(guard=_BALANCE, inserts=_BOOKED)
_RECORD_WITH_LOTS = record_with()
_RECORD_ENROLLMENT = Record(inserts=(enrollments, *_BOOKED))
_RECORD_EACH = Record(
    guard=_BALANCE,
    changes={points_transactions: ("points_remaining",)},
    inserts=(points_transactions, outbox, lot_spends),
)


@dataclass(frozen=True, slots=True)
class NewEnrollment:
    """An enrollment that comes into being with the entries, and the card as it is shown."""

    columns: Columns
    card: Mapping[str, Any]


def _no_events(_: Sequence[Columns]) -> Sequence[Event]:
    return ()


@dataclass(frozen=True, slots=True)
class Occasion:
    """What the last entry is booked for, written by the same statement: a redemption, a claim, a reversal.

    ``links``: columns of that entry's row, such as ``redemption_id``. ``record``: of ``record_with``, for the rows
    of ``inserts`` and the new values of ``changes`` (each with its ``id``). ``events``: told after those of the
    balance, made from the rows as they are shown. ``loyalty_reward_id``: what the points were spent on.
    """

    links: Mapping[str, Any]
    record: Record = _RECORD_WITH_LOTS
    inserts: Mapping[Table, Sequence[Columns]] = field(default_factory=dict)
    changes: Mapping[Table, Sequence[Columns]] = field(default_factory=dict)
    events: Callable[[Sequence[Columns]], Sequence[Event]] = _no_events
    loyalty_reward_id: int | None = None


_NO_OCCASION = Occasion(links={})


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
    occasion: Occasion = _NO_OCCASION,
) -> Reply:
    """Write the entries under ascending ``ids``; ``reply`` makes the answer from the rows as they are shown.

    The last entry is what was asked for and takes the receipt's reference; with ``new`` those before it, or all
    of them where the receipt is for no operation, are the bonus. With ``new`` there is no ``occasion``.
    """
    enrollment = new.columns if new is not None else facts.enrollment or {}
    rows = [
        ledger_row(
            entry, row_id=row_id, enrollment=enrollment, occurred_at=receipt.occurred_at, source=act.source, at=act.at
        )
        for entry, row_id in zip(entries, ids, strict=True)
    ]
    if rows:
        rows[-1] |= {**receipt.columns, **occasion.links}
    shown = [shapes.transaction(row) for row in rows]
    events = _events(shown, facts, new, receipt=receipt, act=act, occasion=occasion)
    answer = reply(shown)
    inserts = {
        points_transactions: rows,
        outbox: [outbox_row(event=event.name, data=event.data(), created_at=act.at) for event in events],
        idempotency: [idempotency_row(act.request, answer, at=act.at)],
    }
    if new is not None:
        _RECORD_ENROLLMENT.write(tx, {**inserts, enrollments: [new.columns]})
    else:
        _record(tx, facts, entries, inserts, occasion)
    return answer


def book_each(tx: Transaction, accounts: Sequence[tuple[Account, Entry, int]], *, source: str, at: datetime) -> None:
    """Write one entry for each of several enrollments, under its id; nobody asked for it, so nobody is answered."""
    rows = [
        ledger_row(entry, row_id=row_id, enrollment=account.enrollment or {}, occurred_at=at, source=source, at=at)
        for account, entry, row_id in accounts
    ]
    events = [
        balance_event(shapes.transaction(row), account, source=source, at=at)
        for row, (account, *_) in zip(rows, accounts, strict=True)
    ]
    _RECORD_EACH.write(
        tx,
        {
            points_transactions: rows,
            lot_spends: [spend for _, entry, row_id in accounts for spend in spend_rows(row_id, entry)],
            outbox: [outbox_row(event=event.name, data=event.data(), created_at=at) for event in events],
        },
        guard=[balance_row(row, version=account.version) for row, (account, *_) in zip(rows, accounts, strict=True)],
        changes={points_transactions: [lot for _, entry, _ in accounts for lot in lot_rows(entry)]},
    )


def _record(
    tx: Transaction,
    facts: Facts,
    entries: Sequence[Entry],
    inserts: Mapping[Table, Sequence[Columns]],
    occasion: Occasion,
) -> None:
    rows = inserts[points_transactions]
    guard = [balance_row(rows[-1], version=facts.version)]
    lots = [lot for entry in entries for lot in lot_rows(entry)]
    if not lots and occasion is _NO_OCCASION:
        # Most purchases: their statement need not speak of lots.
        _RECORD_GAIN.write(tx, inserts, guard=guard)
        return
    spends = [spend for row, entry in zip(rows, entries, strict=True) for spend in spend_rows(row["id"], entry)]
    occasion.record.write(
        tx,
        {**inserts, lot_spends: spends, **occasion.inserts},
        guard=guard,
        changes={points_transactions: lots, **occasion.changes},
    )


def _events(
    shown: Sequence[Columns],
    facts: Facts,
    new: NewEnrollment | None,
    *,
    receipt: Receipt,
    act: Act,
    occasion: Occasion,
) -> list[Event]:
    reward_id = occasion.loyalty_reward_id
    events = [
        balance_event(transaction, facts, source=act.source, at=act.at, loyalty_reward_id=reward_id)
        for transaction in shown
        if transaction["points_delta"]
    ]
    if new is not None:
        events.insert(0, _enrolled(new, facts, act, bonus=shown[:-1] if receipt.operation else shown))
    return [*events, *occasion.events(shown)]


def _enrolled(new: NewEnrollment, facts: Facts, act: Act, *, bonus: Sequence[Columns]) -> Event:
    balance = bonus[-1]["points_balance_after"] if bonus else 0
    return CustomerEnrolled(
        enrollment=shapes.enrollment({**new.columns, "points_balance": balance}),
        initial_bonus_transactions=bonus,
        loyalty_card=new.card,
        customer=facts.customer,
        source=act.source,
    )
