"""How entries are written: rows of the ledger and its lots, the balance they leave, the event of each change. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from loyalty_programs.domain import shapes
from loyalty_programs.domain.ledger import Entry
from loyalty_programs.events import BalanceCorrected, Event, PointsEarned, PointsRedeemed

Columns = dict[str, Any]


class Account(Protocol):
    """An enrollment and its customer, as loaded under the lock of its ledger."""

    @property
    def enrollment(self) -> Mapping[str, Any] | None: ...

    @property
    def version(self) -> int | None: ...

    @property
    def customer(self) -> Mapping[str, Any]: ...


def ledger_row(
    entry: Entry, *, row_id: int, enrollment: Mapping[str, Any], occurred_at: datetime, source: str, at: datetime
) -> Columns:
    """The row that nobody sent a receipt for; what a receipt or an occasion says is put on top."""
    return {
        "id": row_id,
        "loyalty_card_id": enrollment["loyalty_card_id"],
        "enrollment_id": enrollment["id"],
        "customer_id": enrollment["customer_id"],
        "type": entry.type,
        "operation": None,
        "reference": None,
        "points_delta": entry.points_delta,
        "points_balance_after": entry.points_balance_after,
        "points_remaining": entry.points_remaining,
        "expires_on": entry.expires_on,
        "amount": entry.amount,
        "currency": entry.currency,
        "earn_spend_amount": entry.rule and entry.rule.spend,
        "earn_points": entry.rule and entry.rule.points,
        "partner_location_id": None,
        "notes": None,
        "source": source,
        "reverses_transaction_id": None,
        "redemption_id": None,
        "reward_claim_id": None,
        "referral_id": None,
        "occurred_at": occurred_at,
        "recorded_at": at,
    }


def balance_row(last: Columns, *, version: int | None) -> Columns:
    """The enrollment as its last row leaves it, guarded by the version that was decided on."""
    return {
        "id": last["enrollment_id"],
        "version": version,
        "points_balance": last["points_balance_after"],
        "updated_at": last["recorded_at"],
    }


def spend_rows(row_id: int, entry: Entry) -> Iterable[Columns]:
    for taking in entry.takings:
        yield {"transaction_id": row_id, "lot_transaction_id": taking.lot.transaction_id, "points": taking.points}


def lot_rows(entry: Entry) -> Iterable[Columns]:
    for change in entry.lot_changes:
        yield {"id": change.lot.transaction_id, "points_remaining": change.points_remaining}


def balance_event(
    transaction: Columns, account: Account, *, source: str, at: datetime, loyalty_reward_id: int | None = None
) -> Event:
    """Exactly one for every row that changes the balance."""
    if transaction["type"] == "redeem":
        return PointsRedeemed(
            transaction=transaction, loyalty_reward_id=loyalty_reward_id, customer=account.customer, source=source
        )
    if transaction["points_delta"] > 0 and transaction["type"] != "reverse":
        return PointsEarned(transaction=transaction, customer=account.customer, source=source)
    balance = {"points_balance": transaction["points_balance_after"], "updated_at": at}
    return BalanceCorrected(
        enrollment=shapes.enrollment({**(account.enrollment or {}), **balance}),
        transaction=transaction,
        customer=account.customer,
        source=source,
    )
