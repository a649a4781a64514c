"""How the nouns look: in answers, in lists and in events alike. One noun, one shape. Pure.

Each takes the columns of a row, stored or about to be.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from loyalty_common.envelope import timestamp
from loyalty_common.errors import Refusal
from loyalty_common.money import format_amount

Columns = Mapping[Any, Any]


def voucher(row: Columns) -> dict[str, Any]:
    """The columns of a row and ``redemptions_count``."""
    currency = row["currency"]
    return {
        "id": row["id"],
        "name": row["name"],
        "voucher_code": row["voucher_code"],
        "is_active": row["is_active"],
        "discount_type": row["discount_type"],
        "discount_value": discount_value(row),
        "valid_from": _day(row["valid_from"]),
        "valid_until": _day(row["valid_until"]),
        "currency": currency,
        "minimum_order_amount": _amount(row["minimum_order_amount"], currency),
        "max_discount_amount": _amount(row["max_discount_amount"], currency),
        "max_redemptions": row["max_redemptions"],
        "max_redemptions_per_customer": row["max_redemptions_per_customer"],
        "redemptions_count": row["redemptions_count"],
        "partner_location_id": row["partner_location_id"],
        "voucher_batch_id": row["voucher_batch_id"],
        "created_at": timestamp(row["created_at"]),
        "updated_at": timestamp(row["updated_at"]),
    }


def discount_value(row: Columns) -> str:
    """Percentages have two digits, amounts those of their currency."""
    return format_amount(row["discount_value"], None if row["discount_type"] == "percent" else row["currency"])


def redemption(row: Columns) -> dict[str, Any]:
    return {
        "id": row["id"],
        "voucher_id": row["voucher_id"],
        "customer_id": row["customer_id"],
        "voucher_code": row["voucher_code"],
        "order_amount": format_amount(row["order_amount"], row["currency"]),
        "discount_amount": format_amount(row["discount_amount"], row["currency"]),
        "order_reference": row["order_reference"],
        "redeemed_at": timestamp(row["redeemed_at"]),
        "currency": row["currency"],
        "status": "redeemed" if row["rolled_back_at"] is None else "rolled_back",
        "partner_location_id": row["partner_location_id"],
        "notes": row["notes"],
        "source": row["source"],
        "rolled_back_at": _moment(row["rolled_back_at"]),
        "created_at": timestamp(row["created_at"]),
    }


def validation(
    row: Columns, *, order_amount: Decimal, discount_amount: Decimal, refusal: Refusal | None
) -> dict[str, Any]:
    """``row``: the voucher's; ``refusal``: why redeeming it would be refused."""
    currency = row["currency"]
    shown = format_amount(discount_amount, currency)
    return {
        "valid": refusal is None,
        "reason": refusal and refusal.reason,
        "message": refusal.message if refusal else f"This voucher takes {shown} {currency} off the order.",
        "voucher_id": row["id"],
        "voucher_code": row["voucher_code"],
        "order_amount": format_amount(order_amount, currency),
        "discount_amount": shown,
        "currency": currency,
    }


def batch(row: Columns) -> dict[str, Any]:
    """Its job is done as soon as it can be seen: a batch and all of its vouchers come into being at once."""
    currency, made_at = row["currency"], timestamp(row["created_at"])
    return {
        "id": row["id"],
        "name": row["name"],
        "quantity": row["quantity"],
        "code_prefix": row["code_prefix"],
        "code_length": row["code_length"],
        "partner_location_id": row["partner_location_id"],
        "is_active": row["is_active"],
        "discount_type": row["discount_type"],
        "discount_value": discount_value(row),
        "valid_from": _day(row["valid_from"]),
        "valid_until": _day(row["valid_until"]),
        "currency": currency,
        "minimum_order_amount": _amount(row["minimum_order_amount"], currency),
        "max_discount_amount": _amount(row["max_discount_amount"], currency),
        "max_redemptions": row["max_redemptions"],
        "max_redemptions_per_customer": row["max_redemptions_per_customer"],
        "job": {
            "id": row["id"],
            "type": "voucher_batch",
            "status": "succeeded",
            "total": row["quantity"],
            "processed": row["quantity"],
            "succeeded": row["quantity"],
            "failed": 0,
            "error": None,
            "created_at": made_at,
            "started_at": made_at,
            "finished_at": made_at,
        },
        "created_at": made_at,
    }


def _amount(amount: Decimal | None, currency: str) -> str | None:
    return None if amount is None else format_amount(amount, currency)


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else timestamp(moment)
