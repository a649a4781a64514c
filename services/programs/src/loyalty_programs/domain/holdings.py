"""What a customer has: balances, what is within reach, what waits to be handed out. And all that is on record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, func, select, text

from loyalty_common.database import Transaction
from loyalty_programs.domain import redemption_queries, referral_queries, shapes
from loyalty_programs.domain.histories import of_customer
from loyalty_programs.models import (
    enrollments,
    loyalty_cards,
    points_transactions,
    reward_claims,
    stamp_cards,
    stamp_memberships,
    stamp_rewards,
    stamp_transactions,
)

_LOTS = text("""
    select distinct on (lot.enrollment_id) lot.enrollment_id, lot.expires_on,
           cast(sum(lot.points_remaining) over (partition by lot.enrollment_id, lot.expires_on) as bigint) as points
      from enrollments mine
      join points_transactions lot
        on lot.tenant_id = :tenant_id and lot.enrollment_id = mine.id and lot.points_remaining > 0
     where mine.tenant_id = :tenant_id and mine.customer_id = :customer_id and lot.expires_on is not null
     order by lot.enrollment_id, lot.expires_on
""")
# The next goal: the cheapest that can be claimed now by whoever has the points, and costs more than he has.
_NEXT_REWARDS = text("""
    select distinct on (mine.id) mine.id as enrollment_id, mine.points_balance, reward.*
      from enrollments mine
      join loyalty_cards card on card.tenant_id = :tenant_id and card.id = mine.loyalty_card_id
      left join location_directory home
        on home.organization_id = card.organization_id and home.partner_location_id = card.partner_location_id
     cross join lateral (
        select cast(cast(:now as timestamptz) at time zone coalesce(home.time_zone, 'UTC') as date) as day) today
      join loyalty_rewards reward on reward.tenant_id = :tenant_id and reward.loyalty_card_id = mine.loyalty_card_id
     where mine.tenant_id = :tenant_id and mine.customer_id = :customer_id
       and reward.is_active and reward.points_cost > mine.points_balance
       and (reward.quantity is null or reward.claimed_count < reward.quantity)
       and coalesce(reward.valid_from <= today.day, true) and coalesce(reward.valid_until >= today.day, true)
     order by mine.id, reward.points_cost, reward.id
""")
_CODES = text("""
    select code.*, (
        select count(*) from referrals made
         where made.tenant_id = :tenant_id and made.referrer_customer_id = :customer_id
           and made.referral_code_id = code.id and made.status = 'completed') as completed_count
      from referral_codes code
     where code.tenant_id = :tenant_id and code.customer_id = :customer_id
     order by code.id
""")
_CLAIMED = select(reward_claims).where(of_customer(reward_claims), reward_claims.c.status == "claimed")
_UNLOCKED = select(stamp_rewards).where(of_customer(stamp_rewards), stamp_rewards.c.status == "unlocked")
_ENROLLMENTS = select(enrollments).where(of_customer(enrollments)).order_by(enrollments.c.id)
_MEMBERSHIPS = select(stamp_memberships).where(of_customer(stamp_memberships)).order_by(stamp_memberships.c.id)
_CARDS = select(loyalty_cards).where(
    loyalty_cards.c.tenant_id == bindparam("tenant_id"), loyalty_cards.c.id == func.any(bindparam("ids"))
)
_STAMP_CARDS = select(stamp_cards).where(
    stamp_cards.c.tenant_id == bindparam("tenant_id"), stamp_cards.c.id == func.any(bindparam("ids"))
)


def wallet(tx: Transaction, *, customer_id: int, now: datetime) -> dict[str, Any]:
    """``{loyalty_cards, stamp_cards, rewards, referral_codes}``; rewards are those that wait to be handed out."""
    of = {"customer_id": customer_id}
    mine, joined = tx.execute(_ENROLLMENTS, of).all(), tx.execute(_MEMBERSHIPS, of).all()
    unlocked = tx.execute(_UNLOCKED, of).all()
    cards = _by_id(tx.execute(_CARDS, {"ids": [row.loyalty_card_id for row in mine]}).all())
    clubs = _by_id(tx.execute(_STAMP_CARDS, {"ids": [row.stamp_card_id for row in joined]}).all())
    lots = {row.enrollment_id: row for row in tx.execute(_LOTS, of)}
    goals = {row.enrollment_id: row for row in tx.execute(_NEXT_REWARDS, {**of, "now": now})}
    return {
        "loyalty_cards": [
            _loyalty_card(row, cards[row.loyalty_card_id], lots.get(row.id), goals.get(row.id)) for row in mine
        ],
        "stamp_cards": [_stamp_card(row, clubs[row.stamp_card_id], unlocked) for row in joined],
        "rewards": [
            *({"kind": "stamp", **shapes.stamp_reward(row._asdict())} for row in unlocked),
            *({"kind": "claim", **shapes.reward_claim(row._asdict())} for row in tx.execute(_CLAIMED, of)),
        ],
        "referral_codes": [
            {**shapes.referral_code(row._asdict()), "completed_count": row.completed_count}
            for row in tx.execute(_CODES, of)
        ],
    }


def _by_id(rows: Any) -> dict[int, Row[Any]]:
    return {row.id: row for row in rows}


def _loyalty_card(enrollment: Row[Any], card: Row[Any], lot: Row[Any] | None, goal: Row[Any] | None) -> dict[str, Any]:
    return {
        "loyalty_card": shapes.loyalty_card(card._asdict()),
        "enrollment": shapes.enrollment(enrollment._asdict()),
        "points_expiring_next": lot and {"points": lot.points, "expires_on": lot.expires_on.isoformat()},
        "next_reward": goal
        and {
            **shapes.loyalty_reward(goal._asdict()),
            "points_missing": goal.points_cost - max(0, goal.points_balance),
        },
    }


def _stamp_card(membership: Row[Any], card: Row[Any], unlocked: Any) -> dict[str, Any]:
    required, balance = card.stamps_required_for_reward, membership.stamps_balance
    return {
        "stamp_card": shapes.stamp_card(card._asdict()),
        "stamps_balance": balance,
        "stamps_required_for_reward": required,
        "stamps_missing": max(0, required - balance),
        "rewards_unlocked": sum(reward.stamp_card_id == card.id for reward in unlocked),
    }


_ALL = {
    "enrollments": (enrollments, shapes.enrollment),
    "transactions": (points_transactions, shapes.transaction),
    "reward_claims": (reward_claims, shapes.reward_claim),
    "stamp_transactions": (stamp_transactions, shapes.stamp),
    "stamp_rewards": (stamp_rewards, shapes.stamp_reward),
}
_RECORDS = {name: select(table).where(of_customer(table)).order_by(table.c.id) for name, (table, _) in _ALL.items()}


def on_record(tx: Transaction, *, customer_id: int) -> Mapping[str, Any]:
    """Every row about the customer, by the name of its list, oldest first."""
    of = {"customer_id": customer_id}
    lists = {
        name: [_ALL[name][1](row._asdict()) for row in tx.execute(statement, of)]
        for name, statement in _RECORDS.items()
    }
    return lists | {
        "redemptions": redemption_queries.of_customer(tx, customer_id=customer_id),
        "referral_codes": [shapes.referral_code(row._asdict()) for row in tx.execute(_CODES, of)],
        "referrals": [
            shapes.referral(row._asdict()) for row in referral_queries.of_customer(tx, customer_id=customer_id)
        ],
    }
