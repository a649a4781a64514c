"""Receipts beside the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loyalty_common.envelope import timestamp
from loyalty_programs.domain.shapes.values import Columns, amount_or_none, moment_or_none


def reconciliation(
    row: Columns, *, counts: Mapping[str, int], job: Columns, entries: Sequence[Columns] | None
) -> dict[str, Any]:
    """``job``: how many missing entries there are, were applied and failed. Lists leave ``entries`` out."""
    shown = {
        "id": row["id"],
        "loyalty_card_id": row["loyalty_card_id"],
        "from": timestamp(row["from_at"]),
        "to": timestamp(row["to_at"]),
        "status": row["status"],
        "counts": dict(counts),
        "entries": [reconciliation_entry(entry) for entry in entries or ()],
        "job": _job(row, job) if row["applying_at"] is not None else None,
        "created_at": timestamp(row["created_at"]),
        "applied_at": moment_or_none(row["applied_at"]),
    }
    if entries is None:
        del shown["entries"]
    return shown


def reconciliation_entry(row: Columns) -> dict[str, Any]:
    return {
        "reference": row["reference"],
        "status": row["status"],
        "amount": amount_or_none(row["amount"], row["currency"]),
        "recorded_amount": amount_or_none(row["recorded_amount"], row["recorded_currency"]),
        "currency": row["currency"],
        "recorded_currency": row["recorded_currency"],
        "customer_id": row["customer_id"],
        "occurred_at": moment_or_none(row["occurred_at"]),
        "transaction_id": row["transaction_id"],
        "applied_transaction_id": row["applied_transaction_id"],
        "error": row["error"],
    }


def _job(row: Columns, job: Columns) -> dict[str, Any]:
    """There is one per reconciliation, so it has its id."""
    return {
        "id": row["id"],
        "type": "reconciliation",
        "status": "succeeded" if row["applied_at"] is not None else "running",
        "total": job["missing"],
        "processed": job["applied"] + job["failed"],
        "succeeded": job["applied"],
        "failed": job["failed"],
        "error": None,
        "created_at": timestamp(row["applying_at"]),
        "started_at": timestamp(row["applying_at"]),
        "finished_at": moment_or_none(row["applied_at"]),
    }
