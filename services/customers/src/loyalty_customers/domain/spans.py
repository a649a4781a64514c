"""Statistics of a span of days, put together from what programs and vouchers count. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

_TOTALS = (
    "members",
    "new_members",
    "points_earned",
    "points_redeemed",
    "points_outstanding",
    "stamps_issued",
    "stamp_rewards_fulfilled",
    "vouchers_redeemed",
    "discount_amount",
    "referrals_completed",
)
_BUCKET = (
    "new_members",
    "points_earned",
    "points_redeemed",
    "stamps_issued",
    "vouchers_redeemed",
    "referrals_completed",
)


def local_today(now: datetime, time_zone: str) -> date:
    return now.astimezone(ZoneInfo(time_zone)).date()


def merged(*parts: Mapping[str, Any], first: date, last: date, interval: str) -> dict[str, Any]:
    """``buckets``: all that one of the parts names, oldest first, each by its first day."""
    totals: dict[str, Any] = {**dict.fromkeys(_TOTALS, 0), "discount_amount": "0.00"}
    buckets: dict[str, dict[str, int]] = {}
    for part in parts:
        totals |= part["totals"]
        for bucket in part["buckets"]:
            counts = {name: count for name, count in bucket.items() if name != "date"}
            buckets.setdefault(bucket["date"], dict.fromkeys(_BUCKET, 0)).update(counts)
    return {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "interval": interval,
        "totals": {name: totals[name] for name in _TOTALS},
        "buckets": [{"date": day, **buckets[day]} for day in sorted(buckets)],
    }
