"""What happened in a span of local days, for the merchant's home page: sums over the ledgers, nothing cached."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import text

from loyalty_common.database import Transaction
from loyalty_programs.domain.dates import start_of_day

# A till that was offline says so within 30 days: what happened in the span was recorded at most that much later.
_LATEST_RECORDING = timedelta(days=31)
_EARLIEST_RECORDING = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Span:
    """Days ``first`` to ``last``, both included, as ``time_zone`` has them, in buckets of ``interval``.

    ``partner_location_id``: only what was sold there, or where no sale is named, what belongs to a card of there.
    """

    first: date
    last: date
    interval: str
    time_zone: str
    partner_location_id: int | None

    @property
    def parameters(self) -> dict[str, Any]:
        begins = start_of_day(self.first, self.time_zone)
        ends = start_of_day(self.last + timedelta(days=1), self.time_zone)
        return {
            "begins": begins,
            "ends": ends,
            "recorded_from": begins - _EARLIEST_RECORDING,
            "recorded_until": ends + _LATEST_RECORDING,
            "interval": self.interval,
            "time_zone": self.time_zone,
            "partner_location_id": self.partner_location_id,
        }


# What a refund took back counts as never earned, what a reversal gave back as never spent.
_BUCKETS = text("""
    with card as materialized (
        select id, partner_location_id from loyalty_cards where tenant_id = :tenant_id
    ), stamp_card as materialized (
        select id, partner_location_id from stamp_cards where tenant_id = :tenant_id
    ), happened as (
        select row.occurred_at as at, 'points_earned' as name, row.points_delta as quantity
          from card
          join points_transactions row on row.tenant_id = :tenant_id and row.loyalty_card_id = card.id
         where (row.type in ('earn', 'bonus') or row.type = 'adjust' and row.points_delta > 0
                or row.type = 'reverse' and row.points_delta < 0)
           and row.recorded_at >= :recorded_from and row.recorded_at < :recorded_until
           and (cast(:partner_location_id as bigint) is null
                or coalesce(row.partner_location_id, card.partner_location_id) = :partner_location_id)
        union all
        select row.occurred_at, 'points_redeemed', -row.points_delta
          from card
          join points_transactions row on row.tenant_id = :tenant_id and row.loyalty_card_id = card.id
         where (row.type = 'redeem' or row.type = 'reverse' and row.points_delta > 0
                and (row.redemption_id is not null or row.reward_claim_id is not null))
           and row.recorded_at >= :recorded_from and row.recorded_at < :recorded_until
           and (cast(:partner_location_id as bigint) is null
                or coalesce(row.partner_location_id, card.partner_location_id) = :partner_location_id)
        union all
        select row.created_at, 'new_members', 1
          from card
          join enrollments row on row.tenant_id = :tenant_id and row.loyalty_card_id = card.id
         where row.created_at >= :begins and row.created_at < :ends
           and (cast(:partner_location_id as bigint) is null or card.partner_location_id = :partner_location_id)
        union all
        select row.occurred_at, 'stamps_issued', row.stamps_delta
          from stamp_card
          join stamp_transactions row on row.tenant_id = :tenant_id and row.stamp_card_id = stamp_card.id
         where (row.type = 'earn' or row.type = 'reverse' and row.stamps_delta < 0)
           and row.recorded_at >= :recorded_from and row.recorded_at < :recorded_until
           and (cast(:partner_location_id as bigint) is null
                or coalesce(row.partner_location_id, stamp_card.partner_location_id) = :partner_location_id)
        union all
        select row.fulfilled_at, 'stamp_rewards_fulfilled', 1
          from stamp_card
          join stamp_rewards row on row.tenant_id = :tenant_id and row.stamp_card_id = stamp_card.id
         where row.fulfilled_at >= :begins and row.fulfilled_at < :ends
           and (cast(:partner_location_id as bigint) is null
                or coalesce(row.partner_location_id, stamp_card.partner_location_id) = :partner_location_id)
        union all
        select row.completed_at, 'referrals_completed', 1
          from card
          join referrals row on row.tenant_id = :tenant_id and row.loyalty_card_id = card.id
         where row.completed_at >= :begins and row.completed_at < :ends
           and (cast(:partner_location_id as bigint) is null or card.partner_location_id = :partner_location_id)
    )
    select cast(date_trunc(:interval, at at time zone :time_zone) as date) as day, name,
           cast(sum(quantity) as bigint) as quantity
      from happened
     where at >= :begins and at < :ends
     group by day, name
     order by day
""")

_NOW = text("""
    select count(*) as members, cast(coalesce(sum(greatest(row.points_balance, 0)), 0) as bigint) as points_outstanding
      from loyalty_cards card
      join enrollments row on row.tenant_id = :tenant_id and row.loyalty_card_id = card.id
     where card.tenant_id = :tenant_id and row.created_at < :ends
       and (cast(:partner_location_id as bigint) is null or card.partner_location_id = :partner_location_id)
""")
SHOWN_BY_DAY = ("new_members", "points_earned", "points_redeemed", "stamps_issued", "referrals_completed")
SUMMED = (*SHOWN_BY_DAY, "stamp_rewards_fulfilled")


def of_span(tx: Transaction, span: Span) -> dict[str, Any]:
    """``totals`` and ``buckets``: those in which something happened, by their first day, oldest first."""
    parameters = span.parameters
    now = tx.execute(_NOW, parameters).one()
    totals = dict.fromkeys(SUMMED, 0)
    buckets: dict[date, dict[str, int]] = {}
    for row in tx.execute(_BUCKETS, parameters):
        totals[row.name] += row.quantity
        if row.name in SHOWN_BY_DAY:
            buckets.setdefault(row.day, dict.fromkeys(SHOWN_BY_DAY, 0))[row.name] += row.quantity
    return {
        "totals": {**totals, "members": now.members, "points_outstanding": now.points_outstanding},
        "buckets": [{"date": day.isoformat(), **shown} for day, shown in buckets.items()],
    }
