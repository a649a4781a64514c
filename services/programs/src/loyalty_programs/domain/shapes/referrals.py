"""Referral programs, the codes of their members, and referrals with what they have come to."""

from __future__ import annotations

from typing import Any

from loyalty_common.envelope import timestamp
from loyalty_programs.domain.shapes.values import Columns, day_or_none, moment_or_none


def referral_program(row: Columns) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "loyalty_card_id": row["loyalty_card_id"],
        "referrer_points": row["referrer_points"],
        "referred_points": row["referred_points"],
        "valid_from": day_or_none(row["valid_from"]),
        "valid_until": day_or_none(row["valid_until"]),
        "is_active": row["is_active"],
        "milestones": row["milestones"],
        "created_at": timestamp(row["created_at"]),
        "updated_at": timestamp(row["updated_at"]),
    }


def referral_code(row: Columns) -> dict[str, Any]:
    return {
        "id": row["id"],
        "referral_program_id": row["referral_program_id"],
        "customer_id": row["customer_id"],
        "referral_code": row["referral_code"],
        "created_at": timestamp(row["created_at"]),
    }


def referral(row: Columns) -> dict[str, Any]:
    """``row``: with the ``referral_code`` beside its own columns."""
    return {
        "id": row["id"],
        "referral_program_id": row["referral_program_id"],
        "referral_code": row["referral_code"],
        "referrer_customer_id": row["referrer_customer_id"],
        "referred_customer_id": row["referred_customer_id"],
        "status": row["status"],
        "milestones": [referral_milestone(milestone) for milestone in row["milestones"]],
        "created_at": timestamp(row["created_at"]),
        "completed_at": moment_or_none(row["completed_at"]),
    }


def referral_milestone(stored: Columns) -> dict[str, Any]:
    return {
        "milestone_id": stored["id"],
        "type": stored["type"],
        "completed_at": stored["completed_at"],
        "progress": stored["progress"],
        "target": stored["target"],
    }
