"""Rewards and their claims."""

from __future__ import annotations

from typing import Any

from loyalty_common.envelope import timestamp
from loyalty_programs.domain.shapes.values import Columns, day_or_none, moment_or_none


def loyalty_reward(row: Columns) -> dict[str, Any]:
    quantity = row["quantity"]
    return {
        "id": row["id"],
        "loyalty_card_id": row["loyalty_card_id"],
        "title": row["title"],
        "description": row["description"],
        "points_cost": row["points_cost"],
        "quantity": quantity,
        "quantity_left": None if quantity is None else quantity - row["claimed_count"],
        "max_claims_per_customer": row["max_claims_per_customer"],
        "valid_from": day_or_none(row["valid_from"]),
        "valid_until": day_or_none(row["valid_until"]),
        "is_active": row["is_active"],
        "created_at": timestamp(row["created_at"]),
        "updated_at": timestamp(row["updated_at"]),
    }


def reward_claim(row: Columns) -> dict[str, Any]:
    return {
        "id": row["id"],
        "loyalty_reward_id": row["loyalty_reward_id"],
        "loyalty_card_id": row["loyalty_card_id"],
        "customer_id": row["customer_id"],
        "reward_title": row["reward_title"],
        "points_cost": row["points_cost"],
        "claim_code": row["claim_code"],
        "status": row["status"],
        "partner_location_id": row["partner_location_id"],
        "notes": row["notes"],
        "order_reference": row["order_reference"],
        "claimed_at": timestamp(row["claimed_at"]),
        "fulfilled_at": moment_or_none(row["fulfilled_at"]),
        "cancelled_at": moment_or_none(row["cancelled_at"]),
        "created_at": timestamp(row["created_at"]),
    }
