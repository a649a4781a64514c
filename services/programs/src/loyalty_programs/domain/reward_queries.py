"""Reads of rewards and claims; lists have their order and limits put on them by ``loyalty_common.pagination``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, Row, Select, bindparam, select

from loyalty_common.database import Transaction
from loyalty_programs.domain.queries import names_customer
from loyalty_programs.models import loyalty_rewards, reward_claims

_TENANT = bindparam("tenant_id", type_=BigInteger)

REWARDS_NEWEST = (loyalty_rewards.c.created_at, loyalty_rewards.c.id)
CLAIMS_NEWEST = (reward_claims.c.created_at, reward_claims.c.id)


def reward(tx: Transaction, *, card_id: int, reward_id: int) -> Row[Any] | None:
    return tx.execute(_REWARD, {"card_id": card_id, "reward_id": reward_id}).one_or_none()


_REWARD = select(loyalty_rewards).where(
    loyalty_rewards.c.tenant_id == _TENANT,
    loyalty_rewards.c.loyalty_card_id == bindparam("card_id"),
    loyalty_rewards.c.id == bindparam("reward_id"),
)


def rewards_of(*, card_id: int, filters: Mapping[str, Any]) -> Select[Any]:
    rows = select(loyalty_rewards).where(
        loyalty_rewards.c.tenant_id == _TENANT, loyalty_rewards.c.loyalty_card_id == card_id
    )
    if filters["is_active"] is None:
        return rows
    return rows.where(loyalty_rewards.c.is_active == (filters["is_active"] == "true"))


def claim(tx: Transaction, *, card_id: int, claim_id: int) -> Row[Any] | None:
    return tx.execute(_CLAIM, {"card_id": card_id, "claim_id": claim_id}).one_or_none()


_CLAIM = select(reward_claims).where(
    reward_claims.c.tenant_id == _TENANT,
    reward_claims.c.loyalty_card_id == bindparam("card_id"),
    reward_claims.c.id == bindparam("claim_id"),
)


def claims_of(*, card_id: int, filters: Mapping[str, Any]) -> Select[Any]:
    """A claim code is found however it is typed."""
    rows = select(reward_claims).where(
        reward_claims.c.tenant_id == _TENANT,
        reward_claims.c.loyalty_card_id == card_id,
        *names_customer(reward_claims.c.customer_id, filters),
    )
    if filters["status"] is not None:
        rows = rows.where(reward_claims.c.status == filters["status"])
    if filters["claim_code"] is not None:
        rows = rows.where(reward_claims.c.claim_code == filters["claim_code"].upper())
    return rows
