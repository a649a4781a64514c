"""Stamp cards, the rows of their ledger, and what full cards unlock."""

from __future__ import annotations

from typing import Any

from loyalty_common.envelope import timestamp
from loyalty_programs.domain.shapes.values import Columns, amount_or_none, day_or_none, moment_or_none


def stamp_card(row: Columns) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "is_active": row["is_active"],
        "stamps_required_for_reward": row["stamps_required_for_reward"],
        "stamps_per_purchase": row["stamps_per_purchase"],
        "valid_from": day_or_none(row["valid_from"]),
        "valid_until": day_or_none(row["valid_until"]),
        "reward_title": row["reward_title"],
        "partner_location_id": row["partner_location_id"],
        "created_at": timestamp(row["created_at"]),
        "updated_at": timestamp(row["updated_at"]),
    }


def stamp(row: Columns) -> dict[str, Any]:
    return {
        "id": row["id"],
        "type": row["type"],
        "customer_id": row["customer_id"],
        "stamp_card_id": row["stamp_card_id"],
        "stamps_delta": row["stamps_delta"],
        "stamps_balance_after": row["stamps_balance_after"],
        "purchase_reference": row["reference"],
        "occurred_at": timestamp(row["occurred_at"]),
        "recorded_at": timestamp(row["recorded_at"]),
        "quantity": row["quantity"],
        "amount": amount_or_none(row["amount"], row["currency"]),
        "currency": row["currency"],
        "partner_location_id": row["partner_location_id"],
        "notes": row["notes"],
        "source": row["source"],
        "stamp_reward_id": row["stamp_reward_id"],
        "reverses_stamp_id": row["reverses_stamp_id"],
    }


def stamp_progress(row: Columns) -> dict[str, Any]:
    """``row``: counts that are null for a customer who was never stamped."""
    balance, required = row["stamps_balance"] or 0, row["stamps_required_for_reward"]
    return {
        "customer_id": row["customer_id"],
        "stamp_card_id": row["stamp_card_id"],
        "stamps_balance": balance,
        "stamps_required_for_reward": required,
        "stamps_missing": max(0, required - balance),
        "rewards_unlocked": row["rewards_unlocked"] or 0,
        "rewards_fulfilled": row["rewards_fulfilled"] or 0,
        "last_stamped_at": moment_or_none(row["last_stamped_at"]),
    }


def stamp_reward(row: Columns) -> dict[str, Any]:
    return {
        "id": row["id"],
        "stamp_card_id": row["stamp_card_id"],
        "customer_id": row["customer_id"],
        "title": row["title"],
        "status": row["status"],
        "order_reference": row["order_reference"],
        "partner_location_id": row["partner_location_id"],
        "notes": row["notes"],
        "unlocked_at": timestamp(row["unlocked_at"]),
        "fulfilled_at": moment_or_none(row["fulfilled_at"]),
        "revoked_at": moment_or_none(row["revoked_at"]),
        "created_at": timestamp(row["created_at"]),
    }
