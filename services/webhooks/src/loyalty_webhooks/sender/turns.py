"""Whose turn it is: this sender goes round all lanes with something due, a window at a time."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from sqlalchemy import Connection

from loyalty_webhooks.domain.lanes import MAX_LANES, NO_LANE, with_due_work
from loyalty_webhooks.domain.limits import LaneKey

# What is slow or unknown may wait so much longer for a place that came free: to ask for all of them at every look, and
# there can be hundreds, is what takes the time of those that are fast.
REST_S = 0.1
_FEWEST = 16


class Turns:
    """Used by one thread."""

    def __init__(self) -> None:
        self._last = NO_LANE
        self._is_last_window = False
        self._resting: dict[LaneKey, float] = {}

    def next(self, connection: Connection, *, idle: int) -> Sequence[LaneKey]:
        """Lanes behind those that had their turn, twice as many as threads are idle; behind the last come the first."""
        most = min(max(2 * idle, _FEWEST), MAX_LANES)
        found = with_due_work(connection, after=self._last, most=most)
        if not found and self._last != NO_LANE:
            self._last = NO_LANE
            found = with_due_work(connection, after=NO_LANE, most=most)
        self._is_last_window = len(found) < most
        return found

    def awake(self, lanes: Sequence[LaneKey]) -> Sequence[LaneKey]:
        now = time.monotonic()
        return [lane for lane in lanes if self._resting.get(lane, now) <= now]

    def rest(self, lanes: Collection[LaneKey]) -> None:
        """There is no room for these: do not ask again for a moment."""
        now = time.monotonic()
        if len(self._resting) > 10 * MAX_LANES:
            self._resting = {lane: until for lane, until in self._resting.items() if until > now}
        self._resting |= dict.fromkeys(lanes, now + REST_S)

    def pass_on(self, lanes: Sequence[LaneKey]) -> bool:
        """All of these had their turn; whether there are others whose turn is next."""
        self._last = lanes[-1] if lanes else NO_LANE
        return not self._is_last_window

    def end_with(self, lanes: Sequence[LaneKey], served: Collection[tuple[int, int]]) -> None:
        """There was room for these only: the next turn is that of the lane behind the last of them."""
        self._last = [lane for lane in lanes if lane in served][-1]
