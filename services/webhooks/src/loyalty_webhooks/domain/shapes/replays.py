"""A replay, and the job that carries it out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loyalty_common.envelope import timestamp
from loyalty_webhooks.domain.shapes.moments import moment


def replay(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "endpoint_id": row["endpoint_id"],
        "since": timestamp(row["since"]),
        "until": timestamp(row["until"]),
        "events": row["events"],
        "only": row["only"],
        "job": _job(row),
        "created_at": timestamp(row["created_at"]),
    }


def _job(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        "id": row["job_id"],
        "type": "replay",
        "status": row["status"],
        "total": row["total"],
        "processed": row["processed"],
        "succeeded": row["processed"],
        "failed": 0,
        "error": row["error"],
        "created_at": timestamp(row["created_at"]),
        "started_at": moment(row["started_at"]),
        "finished_at": moment(row["finished_at"]),
    }
