"""How the nouns look: in answers, in lists and in events alike. One noun, one shape.

Each takes the columns of a row, stored or about to be.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from loyalty_common.envelope import timestamp
from loyalty_common.money import format_amount

Columns = Mapping[str, Any]


def loyalty_card(row: Columns) -> dict[str, Any]:
    spend = row["earn_spend_amount"]
    return {
        "id": row["id"],
        "name": row["name"],
        "card_identifier": row["card_identifier"],
        "is_active": row["is_active"],
        "earn_spend_amount": _amount(spend, row["earn_currency"]),
        "earn_points": row["earn_points"],
        "earn_currency": row["earn_currency"],
        "initial_bonus_points": row["initial_bonus_points"],
        "expiry_date": _day(row["expiry_date"]),
        "date_issued": _day(row["date_issued"]),
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
        "amount": _amount(row["amount"], row["currency"]),
        "currency": row["currency"],
        "partner_location_id": row["partner_location_id"],
        "notes": row["notes"],
        "source": row["source"],
        "expires_on": _day(row["expires_on"]),
        "reverses_transaction_id": row["reverses_transaction_id"],
        "redemption_id": row["redemption_id"],
        "reward_claim_id": row["reward_claim_id"],
        "referral_id": row["referral_id"],
    }


def stamp_card(row: Columns) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "is_active": row["is_active"],
        "stamps_required_for_reward": row["stamps_required_for_reward"],
        "stamps_per_purchase": row["stamps_per_purchase"],
        "valid_from": _day(row["valid_from"]),
        "valid_until": _day(row["valid_until"]),
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
        "amount": _amount(row["amount"], row["currency"]),
        "currency": row["currency"],
        "partner_location_id": row["partner_location_id"],
        "notes": row["notes"],
        "source": row["source"],
        "stamp_reward_id": row["stamp_reward_id"],
        "reverses_stamp_id": row["reverses_stamp_id"],
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
        "fulfilled_at": _moment(row["fulfilled_at"]),
        "revoked_at": _moment(row["revoked_at"]),
        "created_at": timestamp(row["created_at"]),
    }


def _amount(amount: Decimal | None, currency: str | None) -> str | None:
    return None if amount is None else format_amount(amount, currency)


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else timestamp(moment)
