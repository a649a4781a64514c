"""Deliveries and their attempts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from loyalty_common.envelope import timestamp
from loyalty_webhooks.domain.shapes.moments import moment


def listed_delivery(row: Mapping[Any, Any]) -> dict[str, Any]:
    """All but payload and attempts."""
    return {
        "id": row["id"],
        "endpoint_id": row["endpoint_id"],
        "event_id": str(row["event_id"]),
        "event": row["event"],
        "sequence": row["sequence"],
        "trigger": row["trigger"],
        "status": row["status"],
        "attempt_count": row["attempt_count"],
        "last_status_code": row["last_status_code"],
        "next_attempt_at": moment(row["next_attempt_at"]),
        "created_at": timestamp(row["created_at"]),
        "completed_at": moment(row["completed_at"]),
    }


def delivery(row: Mapping[Any, Any], attempts: Iterable[Mapping[Any, Any]]) -> dict[str, Any]:
    """``payload`` is the signed text itself, so that a reader can verify a signature."""
    return {**listed_delivery(row), "payload": row["payload"], "attempts": [attempt(each) for each in attempts]}


def attempt(row: Mapping[Any, Any]) -> dict[str, Any]:
    failed = row["error_stage"] is not None
    return {
        "number": row["number"],
        "started_at": timestamp(row["started_at"]),
        "duration_ms": row["duration_ms"],
        "status_code": row["status_code"],
        "error": {"stage": row["error_stage"], "message": row["error_message"]} if failed else None,
        "response_headers": dict(row["response_headers"]),
        "response_body": row["response_body"],
        "response_truncated": row["response_truncated"],
    }
