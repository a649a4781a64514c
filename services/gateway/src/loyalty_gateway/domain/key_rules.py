"""What may become of an API key, from its row and the moment alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from loyalty_gateway.domain.errors import ExpiryRefused, KeyIsExpired, KeyIsReplaced, KeyIsRevoked
from loyalty_gateway.domain.scopes import Authority

ACTIVE, EXPIRING, EXPIRED, REVOKED = STATUSES = ("active", "expiring", "expired", "revoked")

Key = Mapping[Any, Any]
"""A row of ``api_keys``."""


def status_of(key: Key, *, now: datetime) -> str:
    """``expiring``: replaced by a rotation, and not ended yet. A key with an ``expires_at`` of its own is active."""
    if key["revoked_at"] is not None:
        return REVOKED
    if key["expires_at"] is not None and key["expires_at"] <= now:
        return EXPIRED
    return ACTIVE if key["replaced_by_id"] is None else EXPIRING


def check_expiry(expires_at: datetime | None, *, now: datetime) -> None:
    if expires_at is not None and expires_at <= now:
        raise ExpiryRefused("The expires at field must be a time in the future.")


def check_change(key: Key, changes: Mapping[str, Any], *, authority: Authority, now: datetime) -> None:
    """Raises if ``key`` may not become what ``changes`` make of it. Who has less than it may not touch it."""
    _check_alive(key, now=now)
    changed = {**key, **changes}
    authority.check_scopes(changed["scopes"])
    if "expires_at" not in changes:
        return
    ends_at = changes["expires_at"]
    check_expiry(ends_at, now=now)
    if key["replaced_by_id"] is not None and (ends_at is None or ends_at > key["expires_at"]):
        raise ExpiryRefused("The expires at field may not be later than the rotation of this key said.")


def end_after_rotation(key: Key, *, overlap: timedelta, authority: Authority, now: datetime) -> datetime:
    """When ``key`` ends if it is rotated now. Its successor can do what it could, so the caller must too."""
    _check_alive(key, now=now)
    if key["replaced_by_id"] is not None:
        raise KeyIsReplaced
    authority.check_scopes(key["scopes"])
    return min(now + overlap, key["expires_at"] or now + overlap)


def _check_alive(key: Key, *, now: datetime) -> None:
    status = status_of(key, now=now)
    if status == REVOKED:
        raise KeyIsRevoked
    if status == EXPIRED:
        raise KeyIsExpired
