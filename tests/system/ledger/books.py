"""What the services' databases hold of one merchant, read while it is quiet, and what is always true of it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

_CARD = {
    "members": "select id, customer_id, points_balance, status from enrollments where loyalty_card_id = %(card)s",
    "ledger": "select id, customer_id, type, points_delta, points_balance_after, points_remaining, expires_on"
    " from points_transactions where loyalty_card_id = %(card)s order by id",
    "redemptions": "select id, status from redemptions where loyalty_card_id = %(card)s",
    "claims": "select id, status from reward_claims where loyalty_card_id = %(card)s",
    "stock": "select id, claimed_count from loyalty_rewards where loyalty_card_id = %(card)s",
    "stamps": "select id, customer_id, type, stamps_delta, stamps_balance_after from stamp_transactions"
    " where stamp_card_id = %(stamp_card)s order by id",
    "stamp_balances": "select customer_id, stamps_balance from stamp_memberships where stamp_card_id = %(stamp_card)s",
    "stamp_rewards": "select id, status from stamp_rewards where stamp_card_id = %(stamp_card)s",
}
_VOUCHERS = "select id, case when rolled_back_at is null then 'redeemed' else 'rolled_back' end from redemptions"
_WAITING = "select id::text, event, payload from outbox where tenant_id = %(tenant)s"
_LOGGED = "select id::text, event, payload::json ->> 'data' from webhook_events where tenant_id = %(tenant)s"
_OF_OTHERS = ("customer.created",)
_OF_BALANCES = ("loyalty.points_earned", "loyalty.points_redeemed")


@dataclass(frozen=True)
class Books:
    """``events``: pairs of name and data, of those that are told of and those that still wait for it."""

    rows: Mapping[str, list[Any]]
    vouchers: dict[int, str]
    events: list[tuple[str, Any]]

    @property
    def facts(self) -> dict[str, Any]:
        """What the model must hold, too."""
        return {
            "members": {row.customer_id: (row.points_balance, row.status) for row in self.rows["members"]},
            "ledger": {one: [row[2:] for row in rows] for one, rows in self.of_each("ledger")},
            **{kind: dict(self.rows[kind]) for kind in ("redemptions", "claims", "stock", "stamp_rewards")},
            "stamps": {one: [row[2:] for row in rows] for one, rows in self.of_each("stamps")},
            "stamp_balances": dict(self.rows["stamp_balances"]),
            "vouchers": self.vouchers,
            "events": dict(Counter(name for name, _ in self.events)),
        }

    def of_each(self, kind: str) -> Iterable[tuple[int, list[Any]]]:
        """The rows of each customer, in their order."""
        rows = defaultdict(list)
        for row in self.rows[kind]:
            rows[row.customer_id].append(row)
        return rows.items()

    def check(self) -> None:
        """What holds whatever was called."""
        ledgers = dict(self.of_each("ledger"))
        for member in self.rows["members"]:
            rows = ledgers.get(member.customer_id, [])
            deltas = [row.points_delta for row in rows]
            assert [row.points_balance_after for row in rows] == list(accumulate(deltas)), rows
            assert member.points_balance == sum(deltas), (member, rows)
            assert sum(row.points_remaining for row in rows) == max(0, member.points_balance), (member, rows)
            assert all(0 <= row.points_remaining <= max(0, row.points_delta) for row in rows), rows
        changes = {row.id: row.points_delta for row in self.rows["ledger"] if row.points_delta}
        told = sorted(self._changes_told())
        assert told == sorted(changes.items()), f"changes {changes}, told of {told}"
        for customer_id, rows in self.of_each("stamps"):
            deltas = [row.stamps_delta for row in rows]
            assert [row.stamps_balance_after for row in rows] == list(accumulate(deltas)), rows
            assert dict(self.rows["stamp_balances"])[customer_id] == sum(deltas) >= 0, rows

    def _changes_told(self) -> Iterator[tuple[int, int]]:
        for name, data in self.events:
            transaction = data if name in _OF_BALANCES else data.get("transaction")
            if transaction is not None:
                yield transaction["id"], transaction["points_delta"]


class Bookkeeper:
    """Reads and, where time must pass, changes the databases of ``urls`` (by service) for the cards of one merchant."""

    def __init__(self, urls: Mapping[str, str], *, card: int, stamp_card: int, vouchers: list[int]) -> None:
        services = ("programs", "vouchers", "webhooks")
        self._databases = {
            service: psycopg.connect(urls[service], autocommit=True, row_factory=namedtuple_row) for service in services
        }
        self._named: dict[str, Any] = {"card": card, "stamp_card": stamp_card, "vouchers": vouchers}
        [(self._named["tenant"],)] = self._read("programs", "select tenant_id from loyalty_cards where id = %(card)s")

    def read(self) -> Books:
        # An event is in the log before it leaves the outbox: in this order none is missed.
        waiting = [*self._read("programs", _WAITING), *self._read("vouchers", _WAITING)]
        events = {row[0]: (row[1], json.loads(row[2])) for row in (*waiting, *self._read("webhooks", _LOGGED))}
        return Books(
            rows={kind: self._read("programs", query) for kind, query in _CARD.items()},
            vouchers=dict(self._read("vouchers", f"{_VOUCHERS} where voucher_id = any(%(vouchers)s)")),
            events=[event for event in events.values() if event[0] not in _OF_OTHERS],
        )

    def age(self, customer_id: int, by: timedelta) -> None:
        """Lots end earlier, as if the clock had moved on."""
        self._databases["programs"].execute(
            "update points_transactions set expires_on = expires_on - %(days)s where expires_on is not null"
            " and tenant_id = %(tenant)s and loyalty_card_id = %(card)s and customer_id = %(customer)s",
            {**self._named, "customer": customer_id, "days": by.days},
        )

    def close(self) -> None:
        for database in self._databases.values():
            database.close()

    def _read(self, service: str, query: str) -> list[Any]:
        return self._databases[service].execute(query.encode(), self._named).fetchall()
