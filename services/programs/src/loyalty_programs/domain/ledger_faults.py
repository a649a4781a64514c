"""What must hold of every ledger at all times, asked of the whole database: after a restore, and now and then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

_SHOWN = 20

# Each finds the ledgers (or waiting events) for which its sentence does not hold; ids order the rows of a ledger.
RULES = {
    "points_balance is the sum of points_delta": """
        select tenant_id, e.id from enrollments e left join (
            select tenant_id, enrollment_id as id, sum(points_delta) as total from points_transactions group by 1, 2
        ) ledger using (tenant_id, id)
         where e.points_balance <> coalesce(ledger.total, 0)
    """,
    "each points_balance_after is the sum of points_delta so far": """
        select distinct tenant_id, enrollment_id as id from (
            select tenant_id, enrollment_id, points_balance_after,
                   sum(points_delta) over (partition by tenant_id, enrollment_id order by id) as total
              from points_transactions
        ) ledger where points_balance_after <> total
    """,
    "what is left in the lots is the balance, or 0 of a debt": """
        select tenant_id, e.id from enrollments e left join (
            select tenant_id, enrollment_id as id, sum(points_remaining) as held from points_transactions group by 1, 2
        ) lots using (tenant_id, id)
         where greatest(e.points_balance, 0) <> coalesce(lots.held, 0)
    """,
    "stamps_balance is the sum of stamps_delta": """
        select tenant_id, m.id from stamp_memberships m left join (
            select tenant_id, stamp_membership_id as id, sum(stamps_delta) as total
              from stamp_transactions group by 1, 2
        ) ledger using (tenant_id, id)
         where m.stamps_balance <> coalesce(ledger.total, 0)
    """,
    "each stamps_balance_after is the sum of stamps_delta so far": """
        select distinct tenant_id, stamp_membership_id as id from (
            select tenant_id, stamp_membership_id, stamps_balance_after,
                   sum(stamps_delta) over (partition by tenant_id, stamp_membership_id order by id) as total
              from stamp_transactions
        ) ledger where stamps_balance_after <> total
    """,
    "an event of points that waits in the outbox tells of a row as it is, and no other tells of it": """
        with told as (
            select tenant_id, id as event_id, count(*) over (partition by tenant_id, transaction ->> 'id') as times,
                   (transaction ->> 'id')::bigint as id, (transaction ->> 'points_delta')::bigint as points_delta
              from outbox cross join lateral (
                select case event when 'customer.updated' then payload::json -> 'transaction'
                                  else payload::json end as transaction) shown
             where event in ('loyalty.points_earned', 'loyalty.points_redeemed')
                or event = 'customer.updated' and payload::json #>> '{transaction,id}' is not null
        )
        select tenant_id, told.event_id as id from told left join points_transactions ledger using (tenant_id, id)
         where told.times > 1 or ledger.points_delta is distinct from told.points_delta
    """,
}
_FIRST = {
    rule: text(f"""
        select tenant_id, id::text, count(*) over () as total from ({query}) found order by tenant_id, id limit {_SHOWN}
    """)  # noqa: S608 (constants)
    for rule, query in RULES.items()
}
_COUNT = {
    table: text(f"select count(*) from {table}")  # noqa: S608 (constants)
    for table in ("enrollments", "points_transactions", "stamp_memberships", "stamp_transactions", "outbox")
}


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule that does not hold: for how many, and the first of them as (tenant, id)."""

    rule: str
    count: int
    first: list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Findings:
    """``counts`` says how much was looked at, so that nobody takes an empty database for a sound one."""

    counts: Mapping[str, int]
    faults: list[Fault]


def check(engine: Engine) -> Findings:
    """All rules on one snapshot, beside the traffic: nothing is locked, nothing written. Reads every ledger whole."""
    snapshot = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**snapshot) as connection:
        counts = {table: connection.execute(_COUNT[table]).scalar_one() for table in _COUNT}
        faults = [fault for rule in RULES if (fault := _fault(connection, rule)) is not None]
    return Findings(counts, faults)


def _fault(connection: Connection, rule: str) -> Fault | None:
    found = connection.execute(_FIRST[rule]).all()
    return Fault(rule, found[0].total, [(row.tenant_id, row.id) for row in found]) if found else None
