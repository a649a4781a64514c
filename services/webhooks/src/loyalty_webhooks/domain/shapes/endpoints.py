"""Webhook endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loyalty_common.envelope import timestamp
from loyalty_webhooks.domain.endpoint_states import status
from loyalty_webhooks.domain.shapes.moments import moment


def endpoint(row: Mapping[Any, Any]) -> dict[str, Any]:
    """All but the secret."""
    return {
        **{name: row[name] for name in ("id", "url", "description", "events", "is_active")},
        "status": status(row),
        "disabled_reason": row["disabled_reason"],
        "disabled_at": moment(row["disabled_at"]),
        "max_in_flight": row["max_in_flight"],
        "rate_limit_per_second": row["rate_limit_per_second"],
        "signing_secret_hint": row["signing_secret_hint"],
        "previous_secret_expires_at": moment(row["previous_secret_expires_at"]),
        "created_at": timestamp(row["created_at"]),
        "updated_at": timestamp(row["updated_at"]),
    }
