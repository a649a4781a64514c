"""The only writer of the ledger: entries become rows, their events and the reply, all in one statement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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


def record_with(
    *, lots: bool = True, inserts: Sequence[Table] = (), changes: Mapping[Table, Sequence[str]] | None = None
) -> Record:
    """The statement of an ``Occasion``, to be built at import: entries, ``lots`` they change, what else it names."""
    remainders = {points_transactions: ("points_remaining",)} if lots else {}
    spends = (lot_spends,) if lots else ()
    return Record(guard=_BALANCE, changes={**remainders, **(changes or {})}, inserts=(*_BOOKED, *spends, *inserts))


_RECORD_GAIN = record_with(lots=False)
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

    def after(self, rows: Sequence[Columns]) -> NewEnrollment:
        """With the balance that the last of ``rows`` leaves it, of those that are its own."""
        own = [row for row in rows if row["enrollment_id"] == self.columns["id"]]
        if not own:
            return self
        return replace(self, columns={**self.columns, "points_balance": own[-1]["points_balance_after"]})


def _no_events(_: Sequence[Columns]) -> Sequence[Event]:
    return ()


@dataclass(frozen=True, slots=True)
class Occasion:
    """What the last entry is booked for, written by the same statement: a redemption, a claim, a referral's bonus.

    ``rows``: further ones of this ledger or of others, whose balances are in ``guard``; they follow the entries.
    ``links``: columns of that entry's row, such as ``redemption_id``. ``record``: of ``record_with``, for the rows
    of ``inserts`` and the new values of ``changes`` (each with its ``id``). ``events``: told after those of the
    balance, made from the rows as they are shown. ``loyalty_reward_id``: what the points were spent on.
    """

    links: Mapping[str, Any] = field(default_factory=dict)
    record: Record = _RECORD_WITH_LOTS
    rows: Sequence[Columns] = ()
    guard: Sequence[Columns] = ()
    inserts: Mapping[Table, Sequence[Columns]] = field(default_factory=dict)
    changes: Mapping[Table, Sequence[Columns]] = field(default_factory=dict)
    events: Callable[[Sequence[Columns]], Sequence[Event]] = _no_events
    loyalty_reward_id: int | None = None


NO_OCCASION = Occasion()


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
    occasion: Occasion = NO_OCCASION,
) -> Reply:
    """Write the entries under ascending ``ids``; ``reply`` makes the answer from the rows as they are shown.

    The last entry is what was asked for and takes the receipt's reference; with ``new`` those before it, or all
    of them where the receipt is for no operation, are the bonus. With ``new`` an ``occasion`` inserts enrollments.
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
        points_transactions: [*rows, *occasion.rows],
        outbox: [outbox_row(event=event.name, data=event.data(), created_at=act.at) for event in events],
        idempotency: [idempotency_row(act.request, answer, at=act.at)],
    }
    if new is None:
        _record(tx, facts, entries, inserts, occasion)
    elif occasion is NO_OCCASION:
        _RECORD_ENROLLMENT.write(tx, {**inserts, enrollments: [new.columns]})
    else:
        new_rows = {**inserts, **occasion.inserts, enrollments: [new.columns]}
        occasion.record.write(tx, new_rows, guard=occasion.guard, changes=occasion.changes)
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
    guard = [_balance(facts, rows), *occasion.guard]
    lots = [lot for entry in entries for lot in lot_rows(entry)]
    if not lots and occasion is NO_OCCASION:
        # Most purchases: their statement need not speak of lots.
        _RECORD_GAIN.write(tx, inserts, guard=guard)
        return
    booked = zip(rows[: len(entries)], entries, strict=True)
    spends = [spend for row, entry in booked for spend in spend_rows(row["id"], entry)]
    occasion.record.write(
        tx,
        {**inserts, lot_spends: spends, **occasion.inserts},
        guard=guard,
        changes={points_transactions: lots, **occasion.changes},
    )


def _balance(facts: Facts, rows: Sequence[Columns]) -> Columns:
    """What the rows leave the member of ``facts`` with: as it was, if none of them is his."""
    enrollment = facts.enrollment or {}
    own = [row for row in rows if row["enrollment_id"] == enrollment["id"]]
    if own:
        return balance_row(own[-1], version=facts.version)
    kept = {name: enrollment[name] for name in ("id", "points_balance", "updated_at")}
    return {**kept, "version": facts.version}


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
        bonus = shown[:-1] if receipt.operation else shown
        events.insert(0, _enrolled(new, facts, act, bonus=bonus, bought=receipt.operation is not None))
    return [*events, *occasion.events(shown)]


def _enrolled(new: NewEnrollment, facts: Facts, act: Act, *, bonus: Sequence[Columns], bought: bool) -> Event:
    """As the answer to enrolling shows it; where a purchase was the reason, as it was before that."""
    balance = new.columns["points_balance"]
    if bought:
        balance = bonus[-1]["points_balance_after"] if bonus else 0
    return CustomerEnrolled(
        enrollment=shapes.enrollment({**new.columns, "points_balance": balance}),
        initial_bonus_transactions=bonus,
        loyalty_card=new.card,
        customer=facts.customer,
        source=act.source,
    )
