"""Moments that may not have come."""

from __future__ import annotations

from datetime import datetime

from loyalty_common.envelope import timestamp


def moment(at: datetime | None) -> str | None:
    return None if at is None else timestamp(at)
