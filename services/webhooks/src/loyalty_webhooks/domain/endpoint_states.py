"""Whether an endpoint is open to deliveries, and what opening it again forgets. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

REOPENED: Mapping[str, Any] = MappingProxyType({"disabled_reason": None, "disabled_at": None})
"""The columns that ``PATCH {"is_active": true}`` resets, and to what: why we had closed the endpoint ourselves."""


def status(endpoint: Mapping[Any, Any]) -> str:
    if endpoint["disabled_at"] is not None:
        return "disabled"
    if not endpoint["is_active"]:
        return "paused"
    return "blocked" if endpoint["is_blocked"] else "active"


def starts_anew(stored: Mapping[str, Any], changed: Mapping[str, Any]) -> bool:
    """Whether what was learned of it counts no more: its merchant opens it again, or names another receiver."""
    return changed["url"] != stored["url"] or (changed["is_active"] and not stored["is_active"])
