"""When a delivery is tried again."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_MINUTE, _HOUR = 60, 3600
DELAYS_S = (
    5,
    _MINUTE,
    5 * _MINUTE,
    30 * _MINUTE,
    2 * _HOUR,
    5 * _HOUR,
    10 * _HOUR,
    14 * _HOUR,
    20 * _HOUR,
    24 * _HOUR,
)
_JITTER = 0.2
_LONGEST_RETRY_AFTER_S = 24 * _HOUR


def retry_in_s(*, failed_attempts: int, retry_after_s: float | None, chance: float) -> float | None:
    """Seconds until the next attempt, ``None`` when there is none left.

    ``failed_attempts`` counts the one that just failed; ``chance`` lies in [0, 1) and spreads the delay ±20 %,
    so that what failed together does not come back together. The receiver's wish can only lengthen the delay.
    """
    if failed_attempts > len(DELAYS_S):
        return None
    delay = DELAYS_S[failed_attempts - 1] * (1 - _JITTER + 2 * _JITTER * chance)
    return max(delay, min(retry_after_s or 0, _LONGEST_RETRY_AFTER_S))


def retry_after_s(status_code: int | None, header: str | None, *, now: datetime) -> float | None:
    """What a 429 or 503 asks for in ``Retry-After``, as seconds or as a date; ``None`` if it is neither."""
    if status_code not in (429, 503) or header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        # Eight digits are three years: no reason to let a longer number overflow.
        return float(text[:8])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    # "-0000" means UTC of unknown origin, and is parsed without a zone.
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
