"""Balances that imported customers bring along, hundreds in a few statements: lock, load, decide, record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from loyalty_common.database import Transaction
from loyalty_common.errors import Details, ValidationFailed
from loyalty_common.messaging.outbox import outbox_row
from loyalty_common.record import Record
from loyalty_programs.domain import enrolling, shapes
from loyalty_programs.domain.errors import CustomerNotFound, DuplicateReference, UnknownLoyaltyCard
from loyalty_programs.domain.ledger import Entry
from loyalty_programs.domain.ledger_rows import Columns, balance_event, balance_row, ledger_row
from loyalty_programs.domain.members import NUMBERS, member_number
from loyalty_programs.domain.opening import joined_at, open_balance
from loyalty_programs.domain.opening_facts import OPERATION, Account, OpeningBalance, lock_and_load
from loyalty_programs.events import CustomerEnrolled, Event
from loyalty_programs.models import enrollments, outbox, points_transactions

SOURCE = "import"
_RECORD = Record(
    guard=(enrollments, ("points_balance", "updated_at")), inserts=(enrollments, points_transactions, outbox)
)


@dataclass(slots=True)
class _Written:
    guards: list[Columns] = field(default_factory=list)
    enrolled: list[Columns] = field(default_factory=list)
    booked: list[Columns] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


def one_of_each(balances: Sequence[OpeningBalance]) -> list[list[OpeningBalance]]:
    """Parts in each of which nobody occurs twice on a card: no row may be written twice by one statement."""
    seen: Counter[tuple[int, int]] = Counter()
    parts: list[list[OpeningBalance]] = []
    for balance in balances:
        turn = seen[balance.card_id, balance.customer_id]
        seen[balance.card_id, balance.customer_id] += 1
        if turn == len(parts):
            parts.append([])
        parts[turn].append(balance)
    return parts


def record(
    tx: Transaction, balances: Sequence[OpeningBalance], *, at: datetime, choose: Callable[[int], int]
) -> dict[int, Details]:
    """Book what was not booked before; by row what is wrong with the others.

    There is no idempotency row: the reference books a balance once for ever, and who is enrolled is not again.
    """
    refused: dict[int, Details] = {}
    written = _Written()
    for account in lock_and_load(tx, balances):
        try:
            _open(account, written, at=at, choose=choose)
        except ValidationFailed as error:
            refused[account.asked.row] = error.details or {"loyalty_card_id": [error.message]}
    events = [outbox_row(event=event.name, data=event.data(), created_at=at) for event in written.events]
    rows = {enrollments: written.enrolled, points_transactions: written.booked, outbox: events}
    _RECORD.write(tx, rows, guard=written.guards)
    return refused


def _open(account: Account, written: _Written, *, at: datetime, choose: Callable[[int], int]) -> None:
    asked = account.asked
    if account.card_row is None:
        raise UnknownLoyaltyCard
    if account.profile is None or account.is_erased:
        raise CustomerNotFound("email")
    if account.earlier is not None:
        if account.earlier != (asked.customer_id, asked.points, SOURCE):
            raise DuplicateReference(asked.reference)
        return
    entry = open_balance(account.terms, account.member, asked.points, at=at)
    enrollment = account.enrollment or _new_enrollment(account, entry, at=at, number=choose(NUMBERS))
    if account.enrollment is None:
        written.enrolled.append(enrollment)
        written.events.append(_enrolled(account, enrollment, account.card_row))
    if entry is not None:
        _book(account, entry, enrollment, written, at=at)


def _book(account: Account, entry: Entry, enrollment: Columns, written: _Written, *, at: datetime) -> None:
    row = ledger_row(entry, row_id=account.transaction_id, enrollment=enrollment, occurred_at=at, source=SOURCE, at=at)
    row |= {"operation": OPERATION, "reference": account.asked.reference}
    written.booked.append(row)
    written.events.append(balance_event(shapes.transaction(row), account, source=SOURCE, at=at))
    if account.enrollment is not None:
        written.guards.append(balance_row(row, version=account.version))


def _new_enrollment(account: Account, entry: Entry | None, *, at: datetime, number: int) -> Columns:
    return {
        "id": account.enrollment_id,
        "loyalty_card_id": account.asked.card_id,
        "customer_id": account.asked.customer_id,
        # Two members with one number violate its unique index: the operation runs again and draws another.
        "member_number": member_number(number),
        "status": enrolling.ACTIVE,
        "points_balance": entry.points_balance_after if entry is not None else 0,
        "created_at": joined_at(account.asked.member_since, time_zone=account.time_zone, at=at),
        "updated_at": at,
    }


def _enrolled(account: Account, enrollment: Columns, card: Columns) -> Event:
    """As the enrollment was before its balance came, of which the next event tells."""
    return CustomerEnrolled(
        enrollment=shapes.enrollment({**enrollment, "points_balance": 0}),
        initial_bonus_transactions=[],
        loyalty_card=shapes.loyalty_card(card),
        customer=account.customer,
        source=SOURCE,
    )
