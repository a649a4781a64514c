"""How many requests one endpoint may have in flight: more while it answers well, fewer when it does not."""

from __future__ import annotations

START = 4
_FLOOR = 1


def after(limit: int, *, succeeded: bool, max_in_flight: int) -> int:
    """One more for every success, half as many for every failure: a tarpit soon holds a single place."""
    return min(limit + 1, max_in_flight) if succeeded else max(limit // 2, _FLOOR)


class InFlightLimits:
    """What this process has learned of each endpoint. Used by one thread."""

    def __init__(self) -> None:
        self._limits: dict[int, int] = {}

    def of(self, endpoint_id: int, *, max_in_flight: int) -> int:
        return min(self._limits.get(endpoint_id, START), max_in_flight)

    def learn(self, endpoint_id: int, *, succeeded: bool, max_in_flight: int) -> None:
        limit = self.of(endpoint_id, max_in_flight=max_in_flight)
        self._limits[endpoint_id] = after(limit, succeeded=succeeded, max_in_flight=max_in_flight)
