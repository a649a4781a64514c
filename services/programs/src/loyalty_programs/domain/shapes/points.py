"""Loyalty cards, enrollments and the rows of their ledger."""

from __future__ import annotations

from typing import Any

from loyalty_common.envelope import timestamp
from loyalty_programs.domain.shapes.values import Columns, amount_or_none, day_or_none


def loyalty_card(row: Columns) -> dict[str, Any]:
    spend = row["earn_spend_amount"]
    return {
        "id": row["id"],
        "name": row["name"],
        "card_identifier": row["card_identifier"],
        "is_active": row["is_active"],
        "earn_spend_amount": amount_or_none(spend, row["earn_currency"]),
        "earn_points": row["earn_points"],
        "earn_currency": row["earn_currency"],
        "initial_bonus_points": row["initial_bonus_points"],
        "expiry_date": day_or_none(row["expiry_date"]),
        "date_issued": day_or_none(row["date_issued"]),
        "partner_location_id": row["partner_location_id"],
        "auto_enroll": row["auto_enroll"],
        "points_expire_after_months": row["points_expire_after_months"],
        "refund_floor": row["refund_floor"],
        "created_at": timestamp(row["created_at"]),
        "updated_at": timestamp(row["updated_at"]),
    }


def enrollment(row: Columns) -> dict[str, Any]:
    return {
        "id": row["id"],
        "customer_id": row["customer_id"],
        "loyalty_card_id": row["loyalty_card_id"],
        "member_number": row["member_number"],
        "status": row["status"],
        "points_balance": row["points_balance"],
        "created_at": timestamp(row["created_at"]),
        "updated_at": timestamp(row["updated_at"]),
    }


def transaction(row: Columns) -> dict[str, Any]:
    return {
        "id": row["id"],
        "type": row["type"],
        "customer_id": row["customer_id"],
        "loyalty_card_id": row["loyalty_card_id"],
        "points_delta": row["points_delta"],
        "points_balance_after": row["points_balance_after"],
        "purchase_reference": row["reference"],
        "occurred_at": timestamp(row["occurred_at"]),
        "recorded_at": timestamp(row["recorded_at"]),
        "enrollment_id": row["enrollment_id"],
        "amount": amount_or_none(row["amount"], row["currency"]),
        "currency": row["currency"],
        "partner_location_id": row["partner_location_id"],
        "notes": row["notes"],
        "source": row["source"],
        "expires_on": day_or_none(row["expires_on"]),
        "reverses_transaction_id": row["reverses_transaction_id"],
        "redemption_id": row["redemption_id"],
        "reward_claim_id": row["reward_claim_id"],
        "referral_id": row["referral_id"],
    }
