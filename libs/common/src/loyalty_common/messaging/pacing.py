"""How long the background processes wait: for work, and for what is down."""

from __future__ import annotations

import random

POLL_S = 0.010
IDLE_POLL_S = 0.025
_IDLE_AFTER_S = 30.0


def poll_s(idle_s: float) -> float:
    """The wait until the next look at the outbox, ``idle_s`` after there was last something in it."""
    return POLL_S + (IDLE_POLL_S - POLL_S) * min(1.0, idle_s / _IDLE_AFTER_S)


class Backoff:
    """Waits that double up to a limit, for ever.

    Each is drawn at random from the upper half: processes that lost the same server must not come back as one.
    """

    def __init__(self, *, first_s: float = 0.05, limit_s: float = 5.0) -> None:
        self._first_s, self._limit_s = first_s, limit_s
        self._ceiling_s = first_s

    def next_s(self) -> float:
        ceiling_s = self._ceiling_s
        self._ceiling_s = min(self._limit_s, ceiling_s * 2)
        return random.uniform(ceiling_s / 2, ceiling_s)  # noqa: S311 (jitter, not a secret)

    def reset(self) -> None:
        self._ceiling_s = self._first_s
