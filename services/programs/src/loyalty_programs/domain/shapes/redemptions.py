"""Points spent at a till."""

from __future__ import annotations

from typing import Any

from loyalty_common.envelope import timestamp
from loyalty_programs.domain.shapes.values import Columns, moment_or_none


def redemption(row: Columns, transaction: dict[str, Any]) -> dict[str, Any]:
    """``transaction``: the ledger row that spent the points, as it is shown."""
    return {
        "id": row["id"],
        "customer_id": transaction["customer_id"],
        "loyalty_card_id": row["loyalty_card_id"],
        "points": -transaction["points_delta"],
        "status": row["status"],
        "reference": transaction["purchase_reference"],
        "partner_location_id": transaction["partner_location_id"],
        "notes": transaction["notes"],
        "redeemed_at": transaction["occurred_at"],
        "reversed_at": moment_or_none(row["reversed_at"]),
        "created_at": timestamp(row["created_at"]),
        "transaction": transaction,
    }
